import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'

/** Kubernetes' verbs, and lower-case HTTP methods for paths that are no resource. */
export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  | 'head'
  | 'post'
  | 'put'
  | 'options'
  | 'connect'
  | 'proxy'

/** What a request line asks for, taken apart. */
export interface RequestInfo {
  readonly isResourceRequest: boolean
  readonly path: string
  readonly verb: Verb
  readonly group: string
  readonly version: string
  /** Plural name, empty for a non-resource request. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  /** Empty for collections. */
  readonly name: string
  /** What follows the subresource in the path, for `proxy`. */
  readonly rest: string
  /** Of a collection that is read or deleted, where it is narrowed by one. */
  readonly fieldSelector?: string
}

/** What an authorizer is asked. */
export interface AuthorizationAttributes extends RequestInfo {
  readonly user: UserInfo
}

/**
 * Takes a request line apart as Kubernetes does (API reference, "API URIs"): `/api/{version}/…` and
 * `/apis/{group}/{version}/…` with at least one segment more are resource requests, all else is not.
 */
export function parseRequestInfo(request: Pick<ApiRequest, 'method' | 'path' | 'query'>): RequestInfo {
  const segments = segmentsOf(request.path)
  const root = segments[0]
  const isCore = root === 'api' && segments.length >= 3
  const isGroup = root === 'apis' && segments.length >= 4
  if (!isCore && !isGroup) return nonResource(request)
  const group = isCore ? '' : (segments[1] ?? '')
  const version = (isCore ? segments[1] : segments[2]) ?? ''
  const rest = segments.slice(isCore ? 2 : 3)
  const isWatchPath = rest[0] === 'watch' && rest.length > 1
  if (isWatchPath) rest.shift()
  const target = targetOf(rest)
  const verb = isWatchPath ? 'watch' : verbOf(request, target.name)
  const name = target.name === '' && isCollectionRead(verb) ? selectedName(request.query) : target.name
  const selector = isCollectionRead(verb) ? request.query.get('fieldSelector') : null
  const narrowed = selector === null ? {} : { fieldSelector: selector }
  return { isResourceRequest: true, path: request.path, verb, group, version, ...target, name, ...narrowed }
}

function segmentsOf(path: string): string[] {
  let start = 0
  let end = path.length
  while (start < end && path[start] === '/') start++
  while (end > start && path[end - 1] === '/') end--
  const segments = path.slice(start, end).split('/')
  return path.includes('%') ? segments.map(decodeSegment) : segments
}

type Target = Pick<RequestInfo, 'resource' | 'subresource' | 'namespace' | 'name' | 'rest'>

/** `namespaces/status` and `namespaces/finalize` are subresources of the namespace, not resources inside it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize'])

function targetOf(segments: readonly string[]): Target {
  let parts = segments
  let namespace = ''
  if (parts[0] === 'namespaces' && parts[1] !== undefined && parts[1] !== '') {
    namespace = parts[1]
    if (parts[2] !== undefined && !namespaceSubresources.has(parts[2])) parts = parts.slice(2)
  }
  const rest = parts.length > 3 ? parts.slice(3).join('/') : ''
  return { resource: parts[0] ?? '', name: parts[1] ?? '', subresource: parts[2] ?? '', namespace, rest }
}

function verbOf(request: Pick<ApiRequest, 'method' | 'query'>, name: string): Verb {
  switch (request.method) {
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete'
    case 'GET':
    case 'HEAD':
      if (name !== '') return 'get'
      return isTrue(request.query.get('watch')) ? 'watch' : 'list'
    default:
      return request.method.toLowerCase() as Verb
  }
}

/** Query parameters are true unless absent, empty, `0` or `false`; `?watch` alone is true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

function isCollectionRead(verb: Verb): boolean {
  return verb === 'list' || verb === 'watch' || verb === 'deletecollection'
}

/** A list narrowed to one name by its field selector is authorized as a request for that name. */
function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector')
  return selector === null ? '' : (/(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(selector)?.[1] ?? '')
}

function nonResource(request: Pick<ApiRequest, 'method' | 'path'>): RequestInfo {
  const verb = request.method.toLowerCase() as Verb
  const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', rest: '' }
  return { isResourceRequest: false, path: request.path, verb, ...nothing }
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
