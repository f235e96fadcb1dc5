import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import { hopHeaders } from './hop-headers.ts'
import type { KubeletDialer } from './kubelet-dialer.ts'
import type { RequestInfo } from '../request-info.ts'
import type { NodeRequest } from './pod-log.ts'
import { proxyTarget, type ProxyLocationOptions, type ProxyTarget } from './proxy-location.ts'

const droppedHeaders: ReadonlySet<string> = new Set([...hopHeaders, 'cookie'])

/** Any method on `pods|services|nodes/NAME/proxy/…`: passes request and answer through, bodies as they come. */
export async function proxyHttp(
  context: NodeRequest,
  options: ProxyLocationOptions,
  dialer: KubeletDialer,
): Promise<ApiResponse> {
  const { info, request } = context
  const target = proxyTarget(info, options)
  // Relative links of the page would lead nowhere without the slash; who writes follows no links.
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && info.rest === '' && !request.path.endsWith('/')) return movedTo(`${request.path}/${queryOf(request)}`)
  const response = await send(target, proxiedPath(info, request), request, dialer)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || droppedHeaders.has(name) || foreignHeaders.has(name)) continue
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  if (headers['location'] !== undefined) headers['location'] = throughProxy(headers['location'], target, context)
  return { status: response.statusCode ?? 502, headers, body: { type: 'stream', chunks: response } }
}

/** The path and query on the other side. */
export function proxiedPath({ rest }: RequestInfo, request: ApiRequest): string {
  return `/${rest.replace(/^\/+/, '')}${queryOf(request)}`
}

function queryOf({ query, queryText = query.toString() }: ApiRequest): string {
  return queryText === '' ? '' : `?${queryText}`
}

function movedTo(location: string): ApiResponse {
  return { status: 301, headers: { location }, body: { type: 'none' } }
}

/** What a proxied page may not grant in the API server's name. */
const foreignHeaders: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
])

/** A redirect to the target itself leads through the proxy again; one to elsewhere, or a relative one, stays. */
function throughProxy(location: string, { scheme, host, port }: ProxyTarget, { info, request }: NodeRequest): string {
  const isLocal = location.startsWith('/') && !location.startsWith('//')
  const there = isLocal ? null : URL.parse(location)
  const isTarget = [`${host}:${port}`, host, request.headers['host']].includes(there?.host)
  if (!isLocal && (there === null || !isTarget || there.protocol !== `${scheme}:`)) return location
  const prefix = request.path.slice(0, request.path.length - info.rest.length).replace(/\/+$/, '')
  const rest = there === null ? location : `${there.pathname}${there.search}${there.hash}`
  return rest.startsWith(`${prefix}/`) ? rest : prefix + rest
}

async function send(
  target: ProxyTarget,
  path: string,
  request: ApiRequest,
  dialer: KubeletDialer,
): Promise<IncomingMessage> {
  const headers: OutgoingHttpHeaders = { 'x-forwarded-uri': request.path }
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(':') && !droppedHeaders.has(name)) headers[name] = value
  }
  const { method, signal } = request
  const body = request.body instanceof Uint8Array ? request.body : undefined
  const outgoing = { method, path, headers, signal, ...(body && { body }) }
  return target.isKubelet ? dialer.request(target, outgoing) : sendPlainly(target, outgoing)
}

interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly signal: AbortSignal
  readonly body?: Uint8Array
}

/** What runs in pods has certificates that nobody here can know; upstream does not check them either. */
function sendPlainly({ scheme, host, port }: ProxyTarget, { body, ...outgoing }: Outgoing): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  // Small servers and scripts end lines with a bare line feed, which every other HTTP client takes.
  const options = { host, port, ...outgoing, insecureHTTPParser: true }
  const sent = scheme === 'https' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
  sent.on('response', resolve)
  sent.on('error', (error) => {
    reject(new StatusError('ServiceUnavailable', `error trying to reach service: ${error.message}`, { cause: error }))
  })
  sent.end(body)
  return promise
}
