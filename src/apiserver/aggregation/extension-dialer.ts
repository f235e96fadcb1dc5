import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { dialMessage } from '#lib/dial-error.ts'

/** Where an extension API server answers, and how its certificate is judged. */
export interface ExtensionTarget {
  readonly host: string
  readonly port: number
  /** The name that its certificate must carry: that of its Service. */
  readonly serverName: string
  /** PEM of the authorities to trust; absent: those of the machine. */
  readonly ca: string | undefined
  readonly isUnchecked: boolean
}

export interface ExtensionRequest {
  readonly method: string
  /** With its query, percent-encoded. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: Uint8Array | undefined
  readonly signal: AbortSignal
}

/** The extension agreed to leave HTTP, or answered in HTTP all the same. */
export interface ExtensionUpgrade {
  readonly response: IncomingMessage
  readonly upgraded: { readonly socket: Duplex; readonly head: Buffer } | undefined
}

/** How the API server reaches extension API servers. Both reject with an Error that says why one cannot be reached. */
export interface ExtensionDialer {
  send(target: ExtensionTarget, request: ExtensionRequest): Promise<IncomingMessage>
  upgrade(target: ExtensionTarget, request: ExtensionRequest): Promise<ExtensionUpgrade>
  close(): void
}

const socketsMax = 256

/** Presents itself with the front proxy's certificate (PEM): extensions believe the headers of whoever holds it. */
export function httpsExtensionDialer(client: { readonly certificate: string; readonly key: string }): ExtensionDialer {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax, maxFreeSockets: 16 })
  const dial = (target: ExtensionTarget, request: ExtensionRequest, more: RequestOptions): Promise<ExtensionUpgrade> =>
    exchange(target, request, { cert: client.certificate, key: client.key, minVersion: 'TLSv1.2', ...more })
  return {
    async send(target, request) {
      const { response } = await dial(target, request, { agent })
      return response
    },
    upgrade: (target, request) => dial(target, request, { agent: false }),
    close: () => agent.destroy(),
  }
}

async function exchange(
  { host, port, serverName, ca, isUnchecked }: ExtensionTarget,
  { method, path, headers, body, signal }: ExtensionRequest,
  tls: RequestOptions,
): Promise<ExtensionUpgrade> {
  const { promise, resolve, reject } = Promise.withResolvers<ExtensionUpgrade>()
  const trust = isUnchecked ? { rejectUnauthorized: false } : { ...(ca !== undefined && { ca }) }
  const where = { host, port, servername: serverName }
  const outgoing = httpsRequest({ ...tls, ...trust, ...where, method, path, headers, signal })
  outgoing.on('response', (response) => resolve({ response, upgraded: undefined }))
  outgoing.on('upgrade', (response, socket, head) => resolve({ response, upgraded: { socket, head } }))
  outgoing.on('error', reject)
  outgoing.end(body)
  try {
    return await promise
  } catch (error) {
    throw new Error(dialMessage(error, { host, port }), { cause: error })
  }
}
