import type { ApiHandler, ApiRequest, ApiResponse, UserInfo, WireWatchEvent } from '#api/meta/exchange.ts'
import { openedAsyncIterable } from '#lib/async-iterables.ts'
import type { RawRequest, Transport } from './client.ts'
import { failureOf } from './failure.ts'

/**
 * Reaches an API server in this process: no socket, no encoding. Request bodies and answers pass by reference, so what
 * an informer holds are the very objects of the server's cache. `user` is who asks; the server trusts it. `component`
 * names the program for which this speaks, as objects record who manages their fields.
 */
export function inProcessTransport(handler: ApiHandler, user: UserInfo, component = 'coracle'): Transport {
  return {
    async request(request) {
      return payloadOf(await handler(apiRequest(request, user, component)))
    },
    watch: (request) => openedAsyncIterable(async () => eventsOf(await handler(apiRequest(request, user, component)))),
    as: (other) => inProcessTransport(handler, other, component),
  }
}

function apiRequest(request: RawRequest, user: UserInfo, component: string): ApiRequest {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': `${component}/in-process` }
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  const cut = request.path.indexOf('?')
  let signal = request.signal
  return {
    method: request.method,
    path: cut < 0 ? request.path : request.path.slice(0, cut),
    query: queryOf(request, cut),
    headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    user,
    /** Made when somebody asks for it: most requests are answered without. */
    get signal() {
      return (signal ??= new AbortController().signal)
    },
  }
}

const noQuery = new URLSearchParams()

function queryOf({ path, query: more }: RawRequest, cut: number): URLSearchParams {
  const names = more === undefined ? [] : Object.keys(more)
  if (cut < 0 && names.length === 0) return noQuery
  const query = new URLSearchParams(cut < 0 ? '' : path.slice(cut + 1))
  for (const name of names) query.append(name, more?.[name] ?? '')
  return query
}

/** A kind as the frozen object, bytes of text as a string or raw, a stream as it is. */
function payloadOf(response: ApiResponse): unknown {
  const { body } = response
  if (response.status >= 400) throw failureOf(response.status, body.type === 'object' ? body.object : textOf(response))
  switch (body.type) {
    case 'none':
      return undefined
    case 'object':
      return body.object
    case 'bytes':
      return decodeBytes(response, body.bytes)
    case 'stream':
      return body.chunks
    case 'watch':
      return body.events
  }
}

function decodeBytes(response: ApiResponse, bytes: Uint8Array): unknown {
  const type = response.headers['content-type'] ?? ''
  if (type.startsWith('application/json')) return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  return type.startsWith('text/') ? new TextDecoder().decode(bytes) : bytes
}

function textOf(response: ApiResponse): string {
  return response.body.type === 'bytes' ? new TextDecoder().decode(response.body.bytes) : ''
}

function eventsOf(response: ApiResponse): AsyncIterable<WireWatchEvent> {
  if (response.body.type === 'watch') return response.body.events
  payloadOf(response)
  throw failureOf(500, `The server answered a watch with ${response.body.type}`)
}
