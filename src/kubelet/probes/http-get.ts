import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { dialMessage } from '#lib/dial-error.ts'
import type { HTTPGetAction } from '#api/types/core.v1.ts'

export interface HttpAnswer {
  readonly statusCode: number
  /** The first 10 KB of the body. */
  readonly body: string
  /** A redirect that was not followed because it leads to another host, or nowhere. */
  readonly isRedirect: boolean
}

/** No answer came: `message` is why, in the words that users search for. */
export class HttpGetError extends Error {
  /** The answer had begun, and its body did not come to an end. */
  readonly isBodyError: boolean
  /** A server without TLS has answered. */
  readonly isPlainText: boolean

  constructor(message: string, { isBodyError = false, isPlainText = false } = {}) {
    super(message)
    this.name = 'HttpGetError'
    this.isBodyError = isBodyError
    this.isPlainText = isPlainText
  }
}

export interface HttpGetOptions {
  readonly podIp: string
  readonly port: number
  /** What the `User-Agent` begins with: `probe` or `lifecycle`. */
  readonly agent: 'probe' | 'lifecycle'
  readonly signal: AbortSignal
}

const maximumRedirects = 10
const maximumBodyBytes = 10 * 1024
/** As much as Go's client takes, which nobody reaches. */
const maximumHeaderBytes = 10 * 1024 * 1024
const followed = new Set([301, 302, 303, 307, 308])

/**
 * One GET as probes and hooks ask for it. Certificates are not checked; redirects on the same host are followed (API
 * reference, HTTPGetAction). What servers send may be sloppy: bare line feeds, no reason phrase. Throws `HttpGetError`.
 */
export async function httpGet(action: HTTPGetAction, options: HttpGetOptions): Promise<HttpAnswer> {
  const start = actionUrl(action, options)
  let url = start
  let headers = requestHeaders(action, options.agent)
  for (let redirects = 0; ; redirects++) {
    const response = await send(url, headers, options.signal)
    const { statusCode = 0 } = response
    const location = followed.has(statusCode) ? response.headers.location : undefined
    const next = location === undefined ? undefined : redirectTarget(url, location)
    if (next === undefined || next.hostname !== start.hostname) {
      const isRedirect = statusCode >= 300 && statusCode < 400
      return { statusCode, body: await readBody(response, url, options.signal), isRedirect }
    }
    response.destroy()
    if (redirects >= maximumRedirects)
      throw new HttpGetError(`Get "${location}": stopped after ${maximumRedirects} redirects`)
    // A name of its own choice belongs to the server that was asked first.
    if (URL.canParse(location ?? '')) headers = withoutHost(headers)
    url = next
  }
}

function actionUrl({ scheme = 'HTTP', host = '', path = '/' }: HTTPGetAction, options: HttpGetOptions): URL {
  const name = host || options.podIp
  const address = name.includes(':') ? `[${name}]` : name
  return new URL(`${scheme.toLowerCase()}://${address}:${options.port}${path.startsWith('/') ? path : `/${path}`}`)
}

type Headers = Readonly<Record<string, readonly string[]>>

/** A name that is given twice is sent twice; an empty `User-Agent` or `Accept` means none. */
function requestHeaders({ httpHeaders = [] }: HTTPGetAction, agent: string): Headers {
  const headers: Record<string, string[]> = {}
  for (const { name, value } of httpHeaders) (headers[name.toLowerCase()] ??= []).push(value)
  const usual = { 'user-agent': `kube-${agent}/1.36`, accept: '*/*' }
  for (const [name, value] of Object.entries(usual)) {
    if (headers[name] === undefined) headers[name] = [value]
    else if (headers[name].join('') === '') delete headers[name]
  }
  return { ...headers, connection: ['close'] }
}

function withoutHost(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'host'))
}

function redirectTarget(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw new HttpGetError(`Get "${from.href}": failed to parse Location header "${location}"`)
  const target = new URL(location, from)
  if (target.protocol !== 'http:' && target.protocol !== 'https:')
    throw new HttpGetError(`Get "${target.href}": unsupported protocol scheme "${target.protocol.slice(0, -1)}"`)
  return target
}

function send(url: URL, headers: Headers, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest
  // A header that stands once must not be a list: there is only one host.
  const sent = Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0] : values])
  const lenient = { insecureHTTPParser: true, maxHeaderSize: maximumHeaderBytes, rejectUnauthorized: false }
  const request = start(url, { headers: Object.fromEntries(sent), agent: false, signal, ...lenient }, resolve)
  request.on('error', (error: NodeJS.ErrnoException) => reject(connectionError(error, url, signal)))
  request.end()
  return promise
}

function connectionError(error: NodeJS.ErrnoException, url: URL, signal: AbortSignal): HttpGetError {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const why = signal.aborted
    ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    : dialMessage(error, { host: url.hostname.replace(/^\[|\]$/g, ''), port })
  return new HttpGetError(`Get "${url.href}": ${why}`, { isPlainText: error.code === 'EPROTO' })
}

/** Reads to the end, or as much as anybody wants to know. */
function readBody(response: IncomingMessage, url: URL, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  let bytes = 0
  const finish = (): void => resolve(Buffer.concat(chunks).toString('utf8', 0, maximumBodyBytes))
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes < maximumBodyBytes) return
    finish()
    response.destroy()
  })
  response.on('end', finish)
  response.on('error', () => {
    const why = signal.aborted
      ? 'context deadline exceeded (Client.Timeout or context cancellation while reading body)'
      : 'unexpected EOF'
    reject(new HttpGetError(signal.aborted ? why : `Get "${url.href}": ${why}`, { isBodyError: true }))
  })
  return promise
}
