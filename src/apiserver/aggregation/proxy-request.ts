import type { IncomingMessage } from 'node:http'
import type { ApiRequest, ApiResponse, WireWatchEvent } from '#api/meta/exchange.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { ExtensionDialer, ExtensionTarget } from './extension-dialer.ts'
import { forwardedHeaders } from './identity-headers.ts'

const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'trailer'])

/** Hands a request to an extension API server, and its answer back as it comes. */
export async function proxyRequest(
  request: ApiRequest,
  user: UserInfo,
  target: ExtensionTarget,
  dialer: ExtensionDialer,
): Promise<ApiResponse> {
  const query = request.query.toString()
  const headers = forwardedHeaders(request.headers, user)
  const path = query === '' ? request.path : `${request.path}?${query}`
  let response: IncomingMessage
  try {
    const body = bodyOf(request.body)
    response = await dialer.send(target, { method: request.method, path, headers, body, signal: request.signal })
  } catch (error) {
    return unavailable(`error trying to reach service: ${(error as Error).message}`)
  }
  const status = response.statusCode ?? 502
  // Requests of this process are answered by reference: they have no socket to which bytes could go.
  if (request.remoteAddress === undefined) return inProcess(response, status, request)
  return { status, headers: answerHeaders(response), body: { type: 'stream', chunks: response } }
}

function bodyOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function answerHeaders({ headers }: IncomingMessage): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !connectionHeaders.has(name))
      kept[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return kept
}

/** The aggregation layer's own 503 is plain text. */
export function unavailable(message: string): ApiResponse {
  return {
    status: 503,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: { type: 'bytes', bytes: Buffer.from(`${message}\n`) },
  }
}

async function inProcess(response: IncomingMessage, status: number, request: ApiRequest): Promise<ApiResponse> {
  const headers = answerHeaders(response)
  const isJson = headers['content-type']?.startsWith('application/json') === true
  if (isJson && status < 400 && isWatch(request)) {
    return { status, headers: {}, body: { type: 'watch', events: jsonLines(response) } }
  }
  const text = await readText(response)
  if (!isJson) return { status, headers, body: { type: 'bytes', bytes: Buffer.from(text) } }
  return { status, headers: {}, body: { type: 'object', object: JSON.parse(text) as object } }
}

function isWatch({ query, method }: ApiRequest): boolean {
  const watch = query.get('watch')
  return method === 'GET' && watch !== null && watch !== '0' && watch !== 'false'
}

async function* jsonLines(response: IncomingMessage): AsyncIterable<WireWatchEvent> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as WireWatchEvent
  }
}

const textBytesMax = 64 * 1_024 * 1_024

/** The whole answer. Throws when it is larger than any list should be. */
export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > textBytesMax) throw new Error('the answer of an extension API server is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
