import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { StatusError } from '#api/meta/status.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import { proxiedPath } from './http-proxy.ts'
import type { KubeletDialer } from './kubelet-dialer.ts'
import { proxyTarget, type ProxyLocationOptions, type ProxyTarget } from './proxy-location.ts'
import { joinSockets } from './tunnel.ts'

/** Credentials are the API server's business; the target's address is its own. */
const keptBack: ReadonlySet<string> = new Set(['host', 'authorization', 'cookie'])

/**
 * An upgrade of `pods|services|nodes/NAME/proxy/…`, WebSocket or anything else: repeats the request to the target and
 * joins both connections. A target that does not upgrade is answered for with what it says.
 */
export async function proxyUpgrade(
  upgrade: UpgradeRequest,
  options: ProxyLocationOptions,
  dialer: KubeletDialer,
): Promise<void> {
  const { info, request, incoming, socket, head } = upgrade
  const target = proxyTarget(info, options)
  const path = proxiedPath(info, request)
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !keptBack.has(name)) headers[name] = value
  }
  const outgoing = { method: request.method, path, headers, signal: request.signal }
  const answer = target.isKubelet ? await dialer.upgrade(target, outgoing) : await dial(target, outgoing)
  socket.write(headOf(answer.response))
  if (answer.socket === undefined) return void answer.response.pipe(socket)
  if (answer.head.length > 0) socket.write(answer.head)
  if (head.length > 0) answer.socket.write(head)
  await joinSockets(socket, answer.socket)
}

interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly signal: AbortSignal
}

type Answer =
  | { readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly response: IncomingMessage; readonly socket?: undefined }

/** What runs in pods has certificates that nobody here can know. */
function dial({ scheme, host, port }: ProxyTarget, outgoing: Outgoing): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = { host, port, agent: false as const, ...outgoing }
  const sent = scheme === 'https' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
  sent.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
  sent.on('response', (response) => resolve({ response }))
  sent.on('error', (error) => {
    reject(new StatusError('ServiceUnavailable', `error trying to reach service: ${error.message}`, { cause: error }))
  })
  sent.end()
  return promise
}

/** Status line and headers as they came, but for those of one connection where it is not upgraded. */
function headOf({ statusCode = 502, statusMessage = '', rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  const isUpgraded = statusCode === 101
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const isOfConnection = ['connection', 'keep-alive', 'transfer-encoding'].includes(name.toLowerCase())
    if (isUpgraded || !isOfConnection) lines.push(`${name}: ${rawHeaders[index + 1] ?? ''}`)
  }
  if (!isUpgraded) lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}
