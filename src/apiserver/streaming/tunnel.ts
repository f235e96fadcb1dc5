import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Above this much unsent data the other side waits. */
const unsentMax = 256 * 1024

/** Copies bytes both ways until both sides are done; when one breaks off, so does the other. */
export async function joinSockets(left: Duplex, right: Duplex): Promise<void> {
  left.pipe(right)
  right.pipe(left)
  await Promise.all([closeWith(left, right), closeWith(right, left)])
}

/** When `socket` is gone, `other` still sends what it holds, then goes too; after an error at once. */
function closeWith(socket: Duplex, other: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('error', () => other.destroy())
  socket.once('close', () => {
    if (!socket.readableEnded || other.writableFinished) other.destroy()
    else other.end(() => other.destroy())
    resolve()
  })
  if (socket.destroyed) resolve()
  return promise
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
