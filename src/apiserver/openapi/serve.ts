import { createHash } from 'node:crypto'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { builtInCatalog, splitGroupVersion } from '#api/schema/catalog.ts'
import { StatusError } from '#api/meta/status.ts'
import { parseAccept } from '../encoding/media-types.ts'
import { versionInfo } from '../discovery/version.ts'
import type { RequestContext } from '../request-context.ts'

/** `/openapi/v2`, `/openapi/v3` and the documents below it (Kubernetes docs, "The Kubernetes API: OpenAPI"). */
export async function openApi({ request }: RequestContext): Promise<ApiResponse | undefined> {
  const path = request.path.replace(/^\/+|\/+$/g, '')
  if (path === 'openapi/v3') return json(index(), 'text/plain; charset=utf-8')
  const { openApiV2, openApiV3 } = await import('./documents.ts')
  if (path === 'openapi/v2') {
    if (!takesJson(request.headers['accept'])) throw new StatusError('NotAcceptable', 'only application/json is served')
    return json(openApiV2(), 'application/json')
  }
  const document = path.slice('openapi/v3/'.length)
  const [root, ...rest] = document.split('/')
  const groupVersion = root === 'api' || root === 'apis' ? rest.join('/') : ''
  const { group, version } = splitGroupVersion(groupVersion)
  const resources = builtInCatalog().inVersion(group, version)
  if (resources.length === 0) return notThere
  const immutable = request.query.has('hash') ? { 'cache-control': 'public, immutable' } : {}
  return json(openApiV3(resources), 'application/json', { ...immutable, etag: `"${hashOf(document)}"` })
}

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
function index(): object {
  const { groups } = builtInCatalog()
  const named = groups.flatMap(({ name, versions }) => [
    `apis/${name}`,
    ...versions.map((version) => `apis/${name}/${version}`),
  ])
  const paths = ['.well-known/openid-configuration', 'api', 'api/v1', 'apis', ...named, 'openid/v1/jwks', 'version']
  const entries = paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(path)}` }])
  return { paths: Object.fromEntries(entries) as object }
}

function hashOf(path: string): string {
  return createHash('sha512').update(`${versionInfo.gitVersion} ${path}`).digest('hex').toUpperCase()
}

function takesJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return true
  return parseAccept(accept).some(
    ({ type }) => type === 'application/json' || type === '*/*' || type === 'application/*',
  )
}
