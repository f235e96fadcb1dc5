import { createHash } from 'node:crypto'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { builtInCatalog, splitGroupVersion } from '#api/schema/catalog.ts'
import { StatusError } from '#api/meta/status.ts'
import { parseAccept } from '../encoding/media-types.ts'
import { versionInfo } from '../discovery/version.ts'
import type { Descriptions } from './descriptions.ts'
import type { RequestContext } from '../request-context.ts'

/** `/openapi/v2`, `/openapi/v3` and the documents below it (Kubernetes docs, "The Kubernetes API: OpenAPI"). */
export async function openApi({ request }: RequestContext): Promise<ApiResponse | undefined> {
  const path = request.path.replace(/^\/+|\/+$/g, '')
  const { installedDescriptions } = await import('./descriptions.ts')
  const descriptions = installedDescriptions()
  if (path === 'openapi/v3') return json(index(descriptions), 'text/plain; charset=utf-8')
  const { openApiV2, openApiV3 } = await import('./documents.ts')
  if (path === 'openapi/v2') {
    return v2Answer(openApiV2(descriptions), request.headers['accept'])
  }
  const document = path.slice('openapi/v3/'.length)
  const [root, ...rest] = document.split('/')
  const groupVersion = root === 'api' || root === 'apis' ? rest.join('/') : ''
  const { group, version } = splitGroupVersion(groupVersion)
  const resources = builtInCatalog().inVersion(group, version)
  if (resources.length === 0) return notThere
  const immutable = request.query.has('hash') ? { 'cache-control': 'public, immutable' } : {}
  return json(openApiV3(resources, descriptions), 'application/json', {
    ...immutable,
    etag: `"${hashOf(document, descriptions)}"`,
  })
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

/** Documents by path, each with a hash that changes when its text may. */
function index(descriptions: Descriptions): object {
  const { groups } = builtInCatalog()
  const named = groups.flatMap(({ name, versions }) => [
    `apis/${name}`,
    ...versions.map((version) => `apis/${name}/${version}`),
  ])
  const paths = ['.well-known/openid-configuration', 'api', 'api/v1', 'apis', ...named, 'openid/v1/jwks', 'version']
  const entries = paths.map((path) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(path, descriptions)}` },
  ])
  return { paths: Object.fromEntries(entries) as object }
}

function hashOf(path: string, { edition }: Descriptions): string {
  return createHash('sha512').update(`${versionInfo.gitVersion} ${edition} ${path}`).digest('hex').toUpperCase()
}

function takes(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '') return types.includes('application/json')
  return parseAccept(accept).some(({ type }) => types.includes(type))
}
