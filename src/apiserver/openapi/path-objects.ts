import type { Subresource, ServedResource as CatalogResource } from '#api/schema/catalog.ts'

type Json = Record<string, unknown>

/** How the two versions of OpenAPI write bodies and answers. */
export interface BodyStyle {
  readonly requestBody: (typeName: string) => Json
  readonly responses: (typeName: string) => Json
  readonly parameter: (name: string, type: string) => Json
}

/** What paths are made from: built-in resources and custom ones have it. */
type PathResource = Pick<
  CatalogResource,
  'group' | 'version' | 'plural' | 'kind' | 'namespaced' | 'verbs' | 'subresources'
>

interface PathOwner {
  readonly resource: PathResource
  readonly style: BodyStyle
  /** Name of the type of a kind, such as `io.k8s.api.apps.v1.Deployment`. */
  readonly typeOf: (group: string, version: string, kind: string) => string
}

/** Every path of one resource with its operations: enough to find kinds, verbs and query parameters. */
export function pathObjects(owner: PathOwner): Json {
  const { resource } = owner
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const collection = resource.namespaced
    ? `${root}/namespaces/{namespace}/${resource.plural}`
    : `${root}/${resource.plural}`
  const paths: Json = { [collection]: operations(owner, collectionVerbs, resource) }
  const isNamed = ['get', 'update', 'patch', 'delete'].some((verb) => resource.verbs.has(verb))
  if (isNamed) paths[`${collection}/{name}`] = operations(owner, namedVerbs, resource)
  if (resource.namespaced && resource.verbs.has('list')) {
    paths[`${root}/${resource.plural}`] = operations(owner, [['list', 'get']], resource)
  }
  for (const subresource of resource.subresources.values()) {
    paths[`${collection}/{name}/${subresource.name}`] = operations(
      owner,
      [...namedVerbs, ['create', 'post']],
      subresource,
    )
  }
  return paths
}

type VerbRow = readonly [verb: string, method: string]

const collectionVerbs: readonly VerbRow[] = [
  ['list', 'get'],
  ['create', 'post'],
  ['deletecollection', 'delete'],
]
const namedVerbs: readonly VerbRow[] = [
  ['get', 'get'],
  ['update', 'put'],
  ['patch', 'patch'],
  ['delete', 'delete'],
]

type Target = Pick<CatalogResource | Subresource, 'group' | 'version' | 'kind' | 'verbs'>

function operations(owner: PathOwner, rows: readonly VerbRow[], target: Target): Json {
  const served = rows.filter(([verb]) => target.verbs.has(verb))
  return Object.fromEntries(served.map(([verb, method]) => [method, operation(owner, verb, target)]))
}

const actions: Readonly<Record<string, string>> = { update: 'put', create: 'post' }

function operation({ resource, style, typeOf }: PathOwner, verb: string, { group, version, kind }: Target): Json {
  const answered = typeOf(group, version, verb === 'list' ? `${kind}List` : kind)
  const takesBody = verb === 'create' || verb === 'update' || verb === 'patch'
  const parameters = parametersOf(verb).map(([name, type]) => style.parameter(name, type))
  return {
    operationId: `${verb}${capital(group.split('.')[0] || 'core')}${capital(version)}${kind}${resource.plural}`,
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody && style.requestBody(verb === 'patch' ? patchType : typeOf(group, version, kind))),
    responses: style.responses(answered),
    'x-kubernetes-action': actions[verb] ?? verb,
    'x-kubernetes-group-version-kind': { group, version, kind },
  }
}

const patchType = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'

const writes: readonly (readonly [string, string])[] = [
  ['dryRun', 'string'],
  ['fieldManager', 'string'],
  ['fieldValidation', 'string'],
]

function parametersOf(verb: string): readonly (readonly [string, string])[] {
  if (verb === 'patch') return [...writes, ['force', 'boolean']]
  if (verb === 'create' || verb === 'update') return writes
  if (verb === 'delete')
    return [
      ['dryRun', 'string'],
      ['gracePeriodSeconds', 'integer'],
      ['propagationPolicy', 'string'],
    ]
  if (verb === 'list')
    return [
      ['labelSelector', 'string'],
      ['fieldSelector', 'string'],
      ['limit', 'integer'],
      ['watch', 'boolean'],
    ]
  return []
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
