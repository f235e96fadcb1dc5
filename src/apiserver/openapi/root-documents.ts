import { capital, groupWord } from './operation-names.ts'
import type { Exchange, OperationStyle } from './path-objects.ts'

type Json = Record<string, unknown>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'

interface RootOperation {
  readonly id: string
  readonly tag: string
  readonly text: string
  readonly answers?: string
}

const fixed: Readonly<Record<string, RootOperation>> = {
  api: { id: 'getCoreAPIVersions', tag: 'core', text: 'get available API versions', answers: `${meta}.APIVersions` },
  apis: { id: 'getAPIVersions', tag: 'apis', text: 'get available API versions', answers: `${meta}.APIGroupList` },
  version: {
    id: 'getCodeVersion',
    tag: 'version',
    text: 'get the version information for this server',
    answers: 'io.k8s.apimachinery.pkg.version.Info',
  },
  '.well-known/openid-configuration': {
    id: 'getServiceAccountIssuerOpenIDConfiguration',
    tag: 'WellKnown',
    text: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
  },
  'openid/v1/jwks': {
    id: 'getServiceAccountIssuerOpenIDKeyset',
    tag: 'openid',
    text: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
  },
}

/** The path of a document that tells of discovery, not of objects, and the types it needs; undefined if there is none. */
export function rootPath(document: string, isGroup: (group: string) => boolean): RootPath | undefined {
  const group = /^apis\/([^/]+)$/.exec(document)?.[1]
  const known = Object.hasOwn(fixed, document) ? fixed[document] : undefined
  if (known !== undefined) return { path: `/${document}/`, operation: known }
  if (group === undefined || !isGroup(group)) return undefined
  const word = groupWord(group)
  const id = `get${capital(word)}APIGroup`
  return {
    path: `/${document}/`,
    operation: { id, tag: word, text: 'get information of a group', answers: `${meta}.APIGroup` },
  }
}

export interface RootPath {
  readonly path: string
  readonly operation: RootOperation
}

/** The list of a group version's resources. */
export function resourcesPath(group: string, version: string): RootPath {
  const word = groupWord(group)
  const path = group === '' ? `/api/${version}/` : `/apis/${group}/${version}/`
  const id = `get${capital(word)}${capital(version)}APIResources`
  const text = 'get available resources'
  return { path, operation: { id, tag: `${word}_${version}`, text, answers: `${meta}.APIResourceList` } }
}

export function rootPathObject({ path, operation }: RootPath, style: OperationStyle): Json {
  const { id, tag, text, answers } = operation
  const exchange: Exchange = { verb: 'get', codes: [200], ...(answers !== undefined && { answers }) }
  return { [path]: { get: { description: text, operationId: id, tags: [tag], ...style.operation([], exchange) } } }
}
