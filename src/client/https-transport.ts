import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as plainRequest,
} from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import { createGunzip } from 'node:zlib'
import type { WireWatchEvent } from '#api/meta/exchange.ts'
import type { StatusError } from '#api/meta/status.ts'
import type { Clock } from '#lib/clock.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'
import type { RawRequest, Transport } from './client.ts'
import { ConnectionError } from './connection-error.ts'
import { failureOf } from './failure.ts'
import { jsonLines } from './json-lines.ts'

export interface HttpsTransportOptions {
  /** `https://host:port`, with a path prefix if the server lives under one. */
  readonly server: string
  /** PEM of the CAs to trust; absent: the machine's. */
  readonly ca?: string
  /** PEM of the client certificate and its key. */
  readonly certificate?: string
  readonly key?: string
  /** Asked for every request in place of the two above: a renewed certificate is used from then on. */
  readonly credentials?: () => { readonly certificate: string; readonly key: string }
  /** The bearer token; called for every request, and with `refresh` after the server has refused the last one. */
  readonly token?: (options: { readonly refresh: boolean }) => string | Promise<string>
  /** The name the server's certificate must carry, where it is not the host of `server`. */
  readonly tlsServerName?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly clock: Clock
  /** For a whole request without a watch or a stream; default 60 s. */
  readonly requestTimeoutMs?: number
  readonly userAgent?: string
  /** Requests under way at once, each on a connection of its own; default 16. Watches come on top. */
  readonly maxConnections?: number
}

export interface HttpsTransport extends Transport {
  /** Closes all connections; requests under way fail with `ConnectionError`. */
  close(): void
}

/** How often a request is sent again because the server asked to come back later (429 with Retry-After). */
const maxRetries = 5

/** A connection that rests costs both ends 100 KB: what a burst has opened is closed soon after it. */
const idleMs = 10_000

/** Reaches an API server over HTTPS/1.1 with JSON. One keep-alive pool for all requests; answers are deep-frozen. */
export function httpsTransport(options: HttpsTransportOptions): HttpsTransport {
  const base = new URL(options.server)
  const agents = {
    timed: agentFor(base, options, options.maxConnections ?? 16),
    // Any number: a request must never wait for a watch to end.
    untimed: agentFor(base, options, Infinity),
  }
  const connection: Connection = { base, agents, options }
  return {
    request: (request) => requestWithRetries(connection, request),
    watch: (request) => watch(connection, request),
    as: () => {
      throw new TypeError('A client over HTTPS acts as whom its credentials name, and as nobody else')
    },
    close() {
      agents.timed.destroy()
      agents.untimed.destroy()
    },
  }
}

interface Connection {
  readonly base: URL
  readonly agents: Readonly<Record<'timed' | 'untimed', Agent | HttpAgent>>
  readonly options: HttpsTransportOptions
}

function agentFor(base: URL, options: HttpsTransportOptions, maxSockets: number): Agent | HttpAgent {
  const pool = { keepAlive: true, keepAliveMsecs: 15_000, timeout: idleMs, maxSockets }
  if (base.protocol === 'http:') return new HttpAgent(pool)
  return new Agent({
    ...pool,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.certificate === undefined ? {} : { cert: options.certificate }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
    ...(options.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
  })
}

async function requestWithRetries(connection: Connection, request: RawRequest): Promise<unknown> {
  let refresh = false
  for (let tries = 0; ; tries++) {
    const answer = await exchange(connection, request, { refresh, timed: true })
    if ('value' in answer) return answer.value
    const { error, retryAfterMs } = answer
    if (error.code === 401 && connection.options.token !== undefined && !refresh) refresh = true
    else if (retryAfterMs === undefined || tries >= maxRetries) throw error
    else await connection.options.clock.sleep(retryAfterMs, request.signal)
  }
}

type Answer = { readonly value: unknown } | { readonly error: StatusError; readonly retryAfterMs: number | undefined }

async function exchange(connection: Connection, request: RawRequest, how: Sending): Promise<Answer> {
  const response = await send(connection, request, how)
  const status = response.statusCode ?? 0
  const text = await readText(response)
  if (status >= 400) {
    const retryAfter = Number(response.headers['retry-after'])
    const wait = status === 429 && Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined
    return { error: failureOf(status, text), retryAfterMs: wait }
  }
  if (text === '') return { value: undefined }
  const isJson = response.headers['content-type']?.includes('json') ?? false
  return { value: isJson ? deepFreeze(withItemKinds(parseJson(text))) : text }
}

interface Sending {
  readonly refresh: boolean
  /** Whether the whole request must end within the request timeout. */
  readonly timed: boolean
}

async function* watch(connection: Connection, request: RawRequest): AsyncIterable<WireWatchEvent> {
  const response = await send(connection, request, { refresh: false, timed: false }).catch(unlessAborted(request))
  if (response === undefined) return
  try {
    const status = response.statusCode ?? 0
    if (status >= 400) throw failureOf(status, await readText(response))
    for await (const event of jsonLines(plainBody(response))) yield deepFreeze(event as WireWatchEvent)
  } catch (error) {
    if (request.signal?.aborted) return
    throw isNetworkError(error) ? new ConnectionError('The watch was interrupted', { cause: error }) : error
  } finally {
    response.destroy()
  }
}

/** Ends a watch without an error where the caller has ended it. */
function unlessAborted(request: RawRequest): (error: unknown) => undefined {
  return (error) => {
    if (request.signal?.aborted) return undefined
    throw error
  }
}

/** Resolves with the head of the answer. */
async function send(connection: Connection, request: RawRequest, how: Sending): Promise<IncomingMessage> {
  const { options, base } = connection
  const body = request.body === undefined ? undefined : encodeBody(request.body)
  const token = await options.token?.({ refresh: how.refresh })
  const credentials = options.credentials?.()
  const answered = Promise.withResolvers<IncomingMessage>()
  const settings: RequestOptions = {
    method: request.method,
    protocol: base.protocol,
    host: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port === '' ? undefined : base.port,
    path: `${base.pathname.replace(/\/$/, '')}${request.path}${queryOf(request)}`,
    agent: connection.agents[how.timed ? 'timed' : 'untimed'],
    ...(credentials && { cert: credentials.certificate, key: credentials.key }),
    headers: headersOf(request, options, { body, token, compress: how.timed }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }
  const outgoing = (base.protocol === 'http:' ? plainRequest : tlsRequest)(settings, answered.resolve)
  outgoing.on('error', (cause) => answered.reject(request.signal?.aborted ? request.signal.reason : lost(base, cause)))
  if (how.timed) limitTime(outgoing, options)
  outgoing.end(body)
  return answered.promise
}

function limitTime(outgoing: ClientRequest, options: HttpsTransportOptions): void {
  const timeoutMs = options.requestTimeoutMs ?? 60_000
  const expire = (): void => void outgoing.destroy(new ConnectionError(`No answer within ${timeoutMs} ms`))
  const timer = options.clock.schedule(timeoutMs, expire)
  outgoing.on('close', () => timer.cancel())
}

function lost(base: URL, cause: Error): ConnectionError {
  if (cause instanceof ConnectionError) return cause
  return new ConnectionError(`Cannot reach ${base.origin}: ${cause.message}`, { cause })
}

function queryOf(request: RawRequest): string {
  const query = new URLSearchParams(request.query).toString()
  if (query === '') return ''
  return `${request.path.includes('?') ? '&' : '?'}${query}`
}

function headersOf(
  request: RawRequest,
  options: HttpsTransportOptions,
  extra: { body: Buffer | undefined; token: string | undefined; compress: boolean },
): Record<string, string | number> {
  return {
    accept: 'application/json',
    'user-agent': options.userAgent ?? 'coracle',
    ...(extra.compress ? { 'accept-encoding': 'gzip' } : {}),
    ...(extra.token === undefined ? {} : { authorization: `Bearer ${extra.token}` }),
    ...(extra.body === undefined
      ? {}
      : { 'content-type': request.contentType ?? 'application/json', 'content-length': extra.body.length }),
  }
}

function encodeBody(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function plainBody(response: IncomingMessage): AsyncIterable<Uint8Array> {
  return response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response
}

async function readText(response: IncomingMessage): Promise<string> {
  try {
    const chunks: Uint8Array[] = []
    for await (const chunk of plainBody(response)) chunks.push(chunk)
    return Buffer.concat(chunks).toString('utf8')
  } catch (cause) {
    throw cause instanceof ConnectionError ? cause : new ConnectionError('The answer was cut off', { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new ConnectionError('The answer is not the JSON it claims to be', { cause })
  }
}

/** The wire leaves out the kind of list items; put it back, so that objects look the same from every transport. */
function withItemKinds(answer: unknown): unknown {
  const list = answer as { kind?: unknown; apiVersion?: unknown; items?: unknown }
  if (
    typeof list?.kind !== 'string' ||
    !list.kind.endsWith('List') ||
    list.kind === 'List' ||
    !Array.isArray(list.items)
  )
    return answer
  const kind = list.kind.slice(0, -'List'.length)
  const items = list.items.map((item: object) => ({ apiVersion: list.apiVersion, kind, ...item }))
  return { ...list, items }
}

function isNetworkError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
