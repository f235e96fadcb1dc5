import { createHash } from 'node:crypto'
import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import { splitGroupVersion } from '#api/schema/catalog.ts'
import { StatusError } from '#api/meta/status.ts'
import { parseAccept } from '../encoding/media-types.ts'
import { versionInfo } from '../discovery/version.ts'
import type { Descriptions } from './descriptions.ts'
import type { OpenApiV2Part } from '../aggregation/aggregation.ts'
import { groupsOf } from '../discovery/rows.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { RequestContext } from '../request-context.ts'

/** `/openapi/v2`, `/openapi/v3` and the documents below it (Kubernetes docs, "The Kubernetes API: OpenAPI"). */
export async function openApi({ request, server }: RequestContext): Promise<ApiResponse | undefined> {
  const path = request.path.replace(/^\/+|\/+$/g, '')
  const { installedDescriptions } = await import('./descriptions.ts')
  const descriptions = installedDescriptions()
  if (path === 'openapi/v3') return json(index(descriptions, server.resources), 'text/plain; charset=utf-8')
  const { openApiV2, openApiV3, openApiV3Root } = await import('./documents.ts')
  if (path === 'openapi/v2') {
    const own = openApiV2(server.resources.catalog.resources, [...server.resources.custom()], descriptions)
    return v2Answer(withParts(own, await server.aggregation.openApiV2()), request.headers['accept'])
  }
  const document = path.slice('openapi/v3/'.length)
  const [root, ...rest] = document.split('/')
  const groupVersion = root === 'api' || root === 'apis' ? rest.join('/') : ''
  const { group, version } = splitGroupVersion(groupVersion)
  const resources = server.resources.catalog.inVersion(group, version)
  const custom = customOf(server.resources, groupVersion)
  const isGroup = (name: string): boolean => groupsOf(server.resources).some((row) => row.name === name)
  const hasObjects = resources.length > 0 || custom.length > 0
  const made = hasObjects ? openApiV3(resources, custom, descriptions) : openApiV3Root(document, isGroup, descriptions)
  if (made === undefined) return notThere
  return v3Answer(made, hashOf(document + stateOf(custom), descriptions), request)
}

/** Who names the hash may keep the document; who has it already is told so; a hash of the past leads to today's. */
function v3Answer(document: object, hash: string, { query, headers, path }: ApiRequest): ApiResponse {
  const wanted = query.get('hash') ?? ''
  if (wanted !== '' && wanted !== hash) {
    const location = `${path}?hash=${hash}`
    return { status: 301, headers: { location }, body: { type: 'none' } }
  }
  const more = { etag: `"${hash}"`, ...(wanted !== '' && { 'cache-control': 'public, immutable' }) }
  if (headers['if-none-match']?.includes(`"${hash}"`) === true) {
    return { status: 304, headers: { ...more, vary: 'Accept' }, body: { type: 'none' } }
  }
  return json(document, 'application/json', more)
}

/** The document with what other servers add to it; of two types of one name the first stays. */
function withParts(document: OpenApiV2Part, parts: readonly OpenApiV2Part[]): object {
  if (parts.length === 0) return document
  return {
    ...document,
    paths: Object.assign({}, ...parts.map(({ paths }) => paths), document.paths) as object,
    definitions: Object.assign({}, ...parts.map(({ definitions }) => definitions), document.definitions) as object,
  }
}

/** kubectl asks for the protobuf form alone, everybody else for JSON. */
async function v2Answer(document: object, accept: string | undefined): Promise<ApiResponse> {
  if (takes(accept, ['application/json', '*/*', 'application/*'])) return json(document, 'application/json')
  if (!takes(accept, v2ProtobufTypes)) {
    throw new StatusError(
      'NotAcceptable',
      `only the following media types are accepted: application/json, ${v2ProtobufTypes[0]}`,
    )
  }
  const { encodeOpenApiV2 } = await import('./v2-protobuf.ts')
  const headers = { 'content-type': v2ProtobufTypes[0], vary: 'Accept' }
  return { status: 200, headers, body: { type: 'bytes', bytes: encodeOpenApiV2(document) } }
}

const v2ProtobufTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
] as const

const notThere: ApiResponse = { status: 404, headers: {}, body: { type: 'none' } }

function json(value: object, contentType: string, more: Readonly<Record<string, string>> = {}): ApiResponse {
  const bytes = Buffer.from(JSON.stringify(value))
  return {
    status: 200,
    headers: { 'content-type': contentType, vary: 'Accept', ...more },
    body: { type: 'bytes', bytes },
  }
}

function customOf(table: ResourceTable, groupVersion: string): readonly ServedResource[] {
  return [...table.custom()].filter(({ group, version }) => `${group}/${version}` === groupVersion)
}

/** Changes with the definitions that the document is made from. */
function stateOf(custom: readonly ServedResource[]): string {
  return custom
    .map(({ custom: traits }) => ` ${traits?.definition.metadata.uid}/${traits?.definition.metadata.generation}`)
    .join('')
}

/** Documents by path, each with a hash that changes when its text may. */
function index(descriptions: Descriptions, table: ResourceTable): object {
  const named = groupsOf(table).flatMap(({ name, versions }) => [
    `apis/${name}`,
    ...versions.map((version) => `apis/${name}/${version}`),
  ])
  const paths = ['.well-known/openid-configuration', 'api', 'api/v1', 'apis', ...named, 'openid/v1/jwks', 'version']
  const remote = new Map(table.remote().map((each) => [`apis/${each.group}/${each.version}`, each.openApiHash]))
  const entries = paths.flatMap((path) => {
    const own = hashOf(path + stateOf(customOf(table, path.slice('apis/'.length))), descriptions)
    const hash = remote.get(path) ?? own
    return hash === '' ? [] : [[path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const]
  })
  return { paths: Object.fromEntries(entries) as object }
}

function hashOf(path: string, { edition }: Descriptions): string {
  return createHash('sha512').update(`${versionInfo.gitVersion} ${edition} ${path}`).digest('hex').toUpperCase()
}

function takes(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '') return types.includes('application/json')
  return parseAccept(accept).some(({ type }) => types.includes(type))
}
