import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { badRequest } from '#api/meta/status.ts'

export interface WebSocketUpgrade {
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** The most bytes of one message; upstream's clients send 32 KiB at most. */
const messageMax = 1024 * 1024

/** The protocols a client offers, in its order, without the one that carries a bearer token. */
function offeredProtocols(incoming: IncomingMessage): readonly string[] {
  const offered = (incoming.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  return offered.filter((protocol) => protocol !== '' && !protocol.startsWith('base64url.bearer.authorization.k8s.io.'))
}

/** The protocol that can tell that stdin is at its end: taken wherever in its list a client names it. */
const closingProtocol = 'v5.channel.k8s.io'

/**
 * The first protocol in the client's order that is in `supported`, where the empty one is for clients that name none;
 * BadRequest when there is none.
 */
export function chooseProtocol(incoming: IncomingMessage, supported: readonly string[]): string {
  const offered = offeredProtocols(incoming)
  if (offered.length === 0 && supported.includes('')) return ''
  if (offered.includes(closingProtocol) && supported.includes(closingProtocol)) return closingProtocol
  const chosen = offered.find((protocol) => supported.includes(protocol))
  if (chosen !== undefined) return chosen
  const names = supported.filter((protocol) => protocol !== '')
  throw badRequest(
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${names.join(' ')}]`,
  )
}

/**
 * Completes the WebSocket handshake with the chosen protocol. Kubernetes' names may hold a slash, which RFC 6455 does not
 * allow and the library refuses, so the header is taken out of the request and put into the answer by hand. The socket is
 * paused: call `resume()` once somebody listens to its messages. Rejects with BadRequest when the handshake fails.
 */
export async function acceptWebSocket(upgrade: WebSocketUpgrade, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageMax,
  })
  const { incoming, socket, head } = upgrade
  delete incoming.headers['sec-websocket-protocol']
  server.on('headers', (headers: string[]) => {
    if (protocol !== '') headers.push(`Sec-WebSocket-Protocol: ${protocol}`)
  })
  const accepted: WebSocket[] = []
  server.handleUpgrade(incoming, socket, head, (websocket) => {
    websocket.pause()
    accepted.push(websocket)
  })
  const [websocket] = accepted
  // The library ends the socket of a client that is gone, or whose handshake is none, and says nothing.
  if (websocket === undefined) throw badRequest('unable to upgrade: the WebSocket handshake was not completed')
  return websocket
}
