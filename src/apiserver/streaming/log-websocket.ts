import type { WebSocket } from 'ws'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import type { KubeletDialer } from './kubelet-dialer.ts'
import { podLog } from './pod-log.ts'
import { acceptWebSocket, chooseProtocol } from './websocket-accept.ts'

/** Protocols of a stream that only goes to the client, and how each writes bytes into messages; none named: as binary. */
const encodings: Readonly<Record<string, (bytes: Buffer) => Buffer | string>> = {
  '': (bytes) => bytes,
  'binary.k8s.io': (bytes) => bytes,
  'base64.binary.k8s.io': (bytes) => bytes.toString('base64'),
}

/** GET `pods/NAME/log` over a WebSocket: messages with the kubelet's text as it comes, then a normal close. */
export async function logWebSocket(
  upgrade: UpgradeRequest,
  reader: ObjectReader,
  dialer: KubeletDialer,
): Promise<void> {
  const protocol = chooseProtocol(upgrade.incoming, Object.keys(encodings))
  const { body } = await podLog(upgrade, reader, dialer)
  const websocket = await acceptWebSocket(upgrade, protocol)
  websocket.on('error', () => undefined)
  websocket.resume()
  if (body.type === 'stream') await sendAll(websocket, body.chunks, encodings[protocol]!)
  websocket.close(1000)
}

async function sendAll(
  websocket: WebSocket,
  chunks: AsyncIterable<Uint8Array>,
  encode: (bytes: Buffer) => Buffer | string,
): Promise<void> {
  for await (const chunk of chunks) {
    if (websocket.readyState !== websocket.OPEN) return
    const sent = Promise.withResolvers<void>()
    // Waits for each message to be on its way, so that a slow reader slows the kubelet and fills no memory here.
    websocket.send(encode(Buffer.from(chunk)), () => sent.resolve())
    await sent.promise
  }
}
