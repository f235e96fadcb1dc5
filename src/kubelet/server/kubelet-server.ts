import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import { authenticate } from './authentication.ts'
import { HttpError } from './http-error.ts'
import { accessOf, type KubeletAccess } from './kubelet-access.ts'
import type { RouteCall } from './route.ts'
import { findRoute } from './routes.ts'
import type { KubeletServerContext } from './server-context.ts'
import { tlsSettings } from './tls-settings.ts'

export interface KubeletServer {
  readonly port: number
  close(): Promise<void>
}

/** The kubelet's HTTPS server: logs, exec, attach, port-forward and statistics for the API server. */
export async function startKubeletServer(context: KubeletServerContext): Promise<KubeletServer> {
  const { serving } = context
  const server = createServer({ ...tlsOf(context, serving.current), requestCert: true, rejectUnauthorized: false })
  const stopRenewals = serving.listen((pair) => server.setSecureContext(tlsOf(context, pair)))
  server.on('request', (request, response) => void answer(context, request, response))
  const streams = new Set<Duplex>()
  server.on('upgrade', (request, socket, head) => {
    streams.add(socket)
    socket.once('close', () => streams.delete(socket))
    void upgrade(context, request, { socket, head })
  })
  server.on('tlsClientError', () => undefined)
  // Logs and streams last as long as their reader wants.
  server.requestTimeout = 0
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(context.port, context.address, resolve)
  await promise
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopRenewals()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      for (const socket of streams) socket.destroy()
      await closed.promise
    },
  }
}

function tlsOf({ clientCa: ca, settings }: KubeletServerContext, pair: KeyPair | undefined): SecureContextOptions {
  return { ...tlsSettings(settings.configuration), ca, ...(pair && { cert: pair.certificate, key: pair.key }) }
}

async function answer(
  context: KubeletServerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  try {
    const call = await admit(context, request, stop.signal)
    const { route } = call
    if (route.respond === undefined) throw new HttpError(400, 'Upgrade request required')
    await route.respond(context, call, response)
  } catch (error) {
    failResponse(context, response, error)
  }
}

/** Says what went wrong, unless an answer has begun: that ends. */
export function failResponse({ log }: KubeletServerContext, response: ServerResponse, error: unknown): void {
  if (!(error instanceof HttpError)) log.warn('kubelet request failed', { error })
  if (response.headersSent) return void response.destroy()
  const { status, message } = error instanceof HttpError ? error : { status: 500, message: (error as Error).message }
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(message)
}

async function upgrade(
  context: KubeletServerContext,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const idle = socket as Socket
  idle.setTimeout(context.settings.configuration.streamingConnectionIdleTimeout, () => socket.destroy())
  const stop = new AbortController()
  socket.once('close', () => stop.abort())
  try {
    const call = await admit(context, request, stop.signal)
    if (call.route.stream === undefined) throw new HttpError(400, 'this path cannot be upgraded')
    await call.route.stream(context, call, { request, socket, head })
  } catch (error) {
    if (!(error instanceof HttpError)) context.log.warn('kubelet stream failed', { error })
    const { status, message } = error instanceof HttpError ? error : { status: 500, message: (error as Error).message }
    const body = Buffer.from(message, 'utf8')
    const lines = [
      `HTTP/1.1 ${status} Error`,
      'Content-Type: text/plain',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]
    socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
  }
}

/** Who is it, what do they want, may they? In this order, so that strangers learn nothing. */
async function admit(context: KubeletServerContext, request: IncomingMessage, signal: AbortSignal): Promise<RouteCall> {
  const user = await whoIs(context, request)
  if (user === undefined) throw new HttpError(401, 'Unauthorized')
  const url = new URL(request.url ?? '/', 'https://kubelet')
  const found = findRoute(url.pathname)
  const access = accessOf({ user, method: request.method ?? 'GET', path: url.pathname, nodeName: context.nodeName })
  if (!(await isAllowed(context, access))) {
    const what = `verb=${access.verb}, resource=nodes, subresource=[${access.subresource}]`
    throw new HttpError(403, `Forbidden (user=${user.name}, ${what})`)
  }
  if (found === undefined) throw new HttpError(404, '404 page not found')
  if (found.route.methods?.includes(request.method ?? '') === false) throw new HttpError(405, '405: Method Not Allowed')
  if (!context.settings.configuration.enableDebuggingHandlers && isDebugging(found.route.path))
    throw new HttpError(405, 'Debug endpoints are disabled.')
  return { ...found, query: url.searchParams, signal }
}

/** Any doubt is nobody. */
async function whoIs(
  { reviewToken, settings, log }: KubeletServerContext,
  request: IncomingMessage,
): Promise<UserInfo | undefined> {
  const { anonymous, webhook } = settings.configuration.authentication
  const tokens = webhook.enabled && reviewToken !== undefined ? { reviewToken } : {}
  try {
    return await authenticate(request, { ...tokens, allowsAnonymous: anonymous.enabled })
  } catch (error) {
    log.warn('Unable to authenticate the request', { error })
    return undefined
  }
}

/** What `enableDebuggingHandlers: false` switches off. */
export function isDebugging(path: string): boolean {
  return /^\/(run|exec|attach|portForward|containerLogs)\//.test(path)
}

/** Unless everybody may: the API server's own certificate and administrators may do everything; any doubt is a no. */
async function isAllowed({ authorize, log, settings }: KubeletServerContext, access: KubeletAccess): Promise<boolean> {
  const { name, groups } = access.user
  if (settings.configuration.authorization.mode === 'AlwaysAllow') return true
  if (name === 'kube-apiserver-kubelet-client' || groups.includes('system:masters')) return true
  try {
    return (await authorize?.(access)) ?? false
  } catch (error) {
    log.warn('kubelet access not decided', { user: name, error })
    return false
  }
}
