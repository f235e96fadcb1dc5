import { createSecureServer, type Http2SecureServer, type Http2ServerRequest } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEFAULT_CIPHERS, type TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { ApiRequest, ApiResponse, UserInfo } from '#api/meta/exchange.ts'
import { StatusError, isStatusError } from '#api/meta/status.ts'
import type { Log } from '#lib/log.ts'
import type { PeerIdentity } from './authn/peer-certificate.ts'
import { ResponseWriter } from './encoding/response-writer.ts'
import { badRequestLine } from './encoding/responses.ts'
import { isReadablePath, parseQuery } from './parse-query.ts'
import type { ApiServer } from './server.ts'
import { methodNotAllowed } from './steps/refusals.ts'
import type { UpgradeHandler } from './upgrade.ts'

export interface ListenerOptions {
  readonly server: ApiServer
  /** Address to bind; `::` or `0.0.0.0` for all. Port 0 takes a free one. */
  readonly host: string
  readonly port: number
  /** PEM of the serving certificate (with its chain) and key, and of the CA that signs client certificates. */
  readonly certificate: string
  readonly key: string
  readonly clientCa: string
  /** PEM of the authorities whose certificates proxies show; absent: none may speak for others. */
  readonly frontProxyCa?: string
  /** Who is behind a client certificate. */
  readonly peerIdentity: PeerIdentity
  /** Takes over exec, attach, port-forward and other upgraded connections; absent: upgrades are refused. */
  readonly upgrade?: UpgradeHandler
  readonly log: Log
}

/** A bound port. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes new keys for new connections: certificates are renewed while the server runs. */
  setCertificate(certificate: string, key: string): void
  /** Stops accepting, ends watches' connections, and resolves when every socket is closed. */
  close(): Promise<void>
}

type Incoming = IncomingMessage | Http2ServerRequest

/** Upstream's limit on request bodies. */
const bodyLimitBytes = 3 * 1024 * 1024
/** A body too large is read on to here, so that its sender is still there for the answer. */
const patienceBytes = 4 * bodyLimitBytes
const headersLimitBytes = 64 * 1024
const keepAliveMs = 75_000

/** Node's choice, with the fastest of TLS 1.3 first: clients offer all of them, and the server's order counts. */
const ciphers = `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`

/** Puts a server on an HTTPS port that speaks HTTP/1.1 and HTTP/2. Rejects if the port cannot be bound. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { server, log } = options
  const writer = new ResponseWriter(server.codec)
  const secure = createSecureServer({
    allowHTTP1: true,
    cert: options.certificate,
    key: options.key,
    ca: authoritiesOf(options),
    ciphers,
    requestCert: true,
    rejectUnauthorized: false,
    http1Options: { keepAliveTimeout: keepAliveMs },
    settings: { maxConcurrentStreams: 250, maxHeaderListSize: headersLimitBytes },
  })
  const sockets = trackSockets(secure)
  secure.on('request', (incoming: Incoming, response: unknown) => {
    // Node's HTTP/2 compatibility API has the members of HTTP/1.1's that the writer uses.
    const outgoing = response as ServerResponse
    serve(options, writer, incoming, outgoing).catch((error: unknown) => {
      log.debug('a connection broke', { error })
      outgoing.destroy()
    })
  })
  secure.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(options, incoming, socket, head).catch((error: unknown) => {
      log.debug('an upgrade broke', { error })
      socket.destroy()
    })
  })
  secure.on('clientError', refuseUnreadable)
  secure.on('tlsClientError', (error: Error) => log.debug('a TLS handshake failed', { error: error.message }))
  secure.on('sessionError', (error: Error) => log.debug('an HTTP/2 session failed', { error: error.message }))
  const { address, port } = await bind(secure, options)
  return {
    host: address,
    port,
    setCertificate: (cert, key) => secure.setSecureContext({ cert, key, ca: authoritiesOf(options) }),
    close: () => closeAll(secure, sockets),
  }
}

function authoritiesOf({ clientCa, frontProxyCa }: ListenerOptions): string[] {
  return frontProxyCa === undefined ? [clientCa] : [clientCa, frontProxyCa]
}

function bind(secure: Http2SecureServer, { host, port }: ListenerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    secure.once('error', reject)
    secure.listen({ host, port, backlog: 1_024 }, () => {
      secure.off('error', reject)
      resolve(secure.address() as AddressInfo)
    })
  })
}

function trackSockets(secure: Http2SecureServer): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>()
  secure.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

function closeAll(secure: Http2SecureServer, sockets: ReadonlySet<Duplex>): Promise<void> {
  return new Promise((resolve) => {
    secure.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}

/** One for all: making an error with its stack for each request that ends would cost more than small requests do. */
const clientGone = new Error('the client closed the connection')

async function serve(
  options: ListenerOptions,
  writer: ResponseWriter,
  incoming: Incoming,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new Departure()
  outgoing.once('close', () => gone.announce())
  const request = await apiRequest(options, incoming, gone)
  const response = await answer(options, writer, request)
  if (!gone.hasGone) await writer.write(request instanceof StatusError ? undefined : request, response, outgoing)
}

function answer(
  { server }: ListenerOptions,
  writer: ResponseWriter,
  request: ApiRequest | StatusError,
): ApiResponse | Promise<ApiResponse> {
  if (request instanceof StatusError) return writer.failure(request)
  return isReadablePath(request.path) ? server.handle(request) : badRequestLine()
}

/** Tells that a client has gone. The signal is made when somebody asks for it: most requests are answered without. */
class Departure {
  #controller: AbortController | undefined
  #hasGone = false

  get hasGone(): boolean {
    return this.#hasGone
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    this.#controller = new AbortController()
    if (this.#hasGone) this.#controller.abort(clientGone)
    return this.#controller.signal
  }

  announce(): void {
    this.#hasGone = true
    this.#controller?.abort(clientGone)
  }
}

/** The request as the pipeline takes it, or why it cannot be taken. */
async function apiRequest(
  options: ListenerOptions,
  incoming: Incoming,
  gone: Departure,
): Promise<ApiRequest | StatusError> {
  const socket = tlsSocketOf(incoming)
  let user: UserInfo | undefined
  try {
    user = options.peerIdentity(socket, incoming.rawHeaders)
  } catch (error) {
    if (isStatusError(error)) return error
    throw error
  }
  const body = await readBody(incoming)
  if (body instanceof StatusError) return body
  return requestOf(incoming, socket, { gone, user, body })
}

interface RequestExtras {
  readonly gone: Departure
  readonly user: UserInfo | undefined
  readonly body: Buffer | undefined
}

const noQuery = new URLSearchParams()

function requestOf(incoming: Incoming, socket: TLSSocket, { gone, user, body }: RequestExtras): ApiRequest {
  const url = incoming.url ?? '/'
  const cut = url.indexOf('?')
  return {
    method: incoming.method ?? 'GET',
    path: cut < 0 ? url : url.slice(0, cut),
    query: cut < 0 ? noQuery : parseQuery(url.slice(cut + 1)),
    ...(cut >= 0 && { queryText: url.slice(cut + 1) }),
    headers: incoming.headers as Readonly<Record<string, string | undefined>>,
    get signal() {
      return gone.signal
    },
    ...(body !== undefined && { body }),
    ...(user !== undefined && { user }),
    ...(socket.remoteAddress !== undefined && { remoteAddress: socket.remoteAddress }),
  }
}

/** The TLS socket below a request; HTTP/2 hides it behind a guard that forbids what identity needs. */
function tlsSocketOf(incoming: Incoming): TLSSocket {
  const session = 'stream' in incoming ? incoming.stream?.session : undefined
  return (session?.socket ?? incoming.socket) as TLSSocket
}

const withoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function readBody(incoming: Incoming): Promise<Buffer | StatusError> | undefined {
  if (withoutBody.has(incoming.method ?? 'GET')) {
    incoming.resume()
    return undefined
  }
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | StatusError>()
  const chunks: Buffer[] = []
  let length = 0
  incoming.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= bodyLimitBytes) chunks.push(chunk)
    else if (length > patienceBytes) resolve(tooLarge())
  })
  incoming.on('end', () => {
    const [first = noBytes] = chunks
    if (length > bodyLimitBytes) resolve(tooLarge())
    else resolve(chunks.length < 2 ? first : Buffer.concat(chunks, length))
  })
  incoming.on('error', reject)
  incoming.on('aborted', () => reject(clientGone))
  return promise
}

const noBytes = Buffer.alloc(0)

function tooLarge(): StatusError {
  return new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimitBytes}`)
}

async function upgrade(
  options: ListenerOptions,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const gone = new Departure()
  socket.once('close', () => gone.announce())
  try {
    if (options.upgrade === undefined) throw new StatusError('BadRequest', 'this server does not upgrade connections')
    const tls = incoming.socket as TLSSocket
    const request = requestOf(incoming, tls, {
      gone,
      user: options.peerIdentity(tls, incoming.rawHeaders),
      body: undefined,
    })
    const { info, user } = await options.server.admitUpgrade(request)
    await options.upgrade({ request, info, user, incoming, socket, head })
  } catch (error) {
    refuseUpgrade(options.log, socket, error)
  }
}

/** What Node's parser does not read never becomes a request; a method it does not know is answered as any other. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const isMethod = error.code === 'HPE_INVALID_METHOD'
  const refusal = isMethod ? methodNotAllowed() : new StatusError('BadRequest', 'the request could not be read')
  endWithStatus(socket, refusal)
}

/** Answers on a socket that has left the HTTP server's hands. */
function refuseUpgrade(log: Log, socket: Duplex, error: unknown): void {
  if (!isStatusError(error)) log.error('an upgraded connection failed', { error })
  const status = isStatusError(error) ? error : new StatusError('InternalError', 'Internal error occurred')
  endWithStatus(socket, status)
}

function endWithStatus(socket: Duplex, status: StatusError): void {
  const body = JSON.stringify(status.toStatus())
  if (!socket.writable) return
  socket.end(
    `HTTP/1.1 ${status.code} ${status.reason}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
