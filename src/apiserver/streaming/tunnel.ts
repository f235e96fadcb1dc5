import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { WebSocket } from 'ws'

/** Above this much unsent data the other side waits. */
const unsentMax = 256 * 1024

/** Copies bytes both ways until one side is gone, then closes the other. */
export async function joinSockets(left: Duplex, right: Duplex): Promise<void> {
  await Promise.allSettled([pipeline(left, right), pipeline(right, left)])
}

/** Carries a byte stream inside the binary messages of a WebSocket, as Kubernetes tunnels port-forward. */
export async function tunnel(websocket: WebSocket, socket: Duplex, head: Buffer): Promise<void> {
  const gone = new Promise<void>((resolve) => websocket.once('close', () => resolve()))
  websocket.on('error', () => undefined)
  socket.on('error', () => undefined)
  void gone.then(() => socket.destroy())
  websocket.on('message', (data: Buffer) => {
    if (socket.destroyed || socket.write(data)) return
    websocket.pause()
    socket.once('drain', () => websocket.resume())
  })
  websocket.resume()
  if (head.length > 0) websocket.send(head)
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      if (websocket.readyState !== websocket.OPEN) break
      if (websocket.bufferedAmount < unsentMax) websocket.send(chunk)
      else await new Promise<void>((resolve) => websocket.send(chunk, () => resolve()))
    }
  } catch {
    // A lost connection ends the tunnel like any other end.
  }
  websocket.resume()
  websocket.close(1000)
  await gone
}
