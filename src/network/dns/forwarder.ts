import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Clock } from '#lib/clock.ts'

/** Sends a question on to the machine's own name servers. */
export interface Forwarder {
  /** The answer's bytes as they came, under the id of the question; undefined where nobody answered in time. */
  forward(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined>
}

export interface ForwarderOptions {
  /** Addresses, tried in order; port 53. */
  readonly servers: readonly string[]
  readonly clock: Clock
  readonly port?: number
  readonly timeoutMs?: number
  /** Questions under way at once; more are refused at once, so that a dead upstream cannot fill the memory. */
  readonly maxPending?: number
}

/** Each question goes out on a socket of its own: its random port is what makes forging an answer hard. */
export function forwarder(options: ForwarderOptions): Forwarder {
  const { servers, clock, port = 53, timeoutMs = 2_000, maxPending = 1_000 } = options
  let pending = 0
  return {
    async forward(message, transport) {
      if (pending >= maxPending) return undefined
      pending++
      try {
        const ask = transport === 'udp' ? askByUdp : askByTcp
        for (const server of servers) {
          const answer = await ask({ message, server, port, timeoutMs, clock })
          if (answer) return answer
        }
        return undefined
      } finally {
        pending--
      }
    },
  }
}

interface Ask {
  readonly message: Buffer
  readonly server: string
  readonly port: number
  readonly timeoutMs: number
  readonly clock: Clock
}

function askByUdp({ message, server, port, timeoutMs, clock }: Ask): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
  const timer = clock.schedule(timeoutMs, () => resolve(undefined))
  socket.on('error', () => resolve(undefined))
  // A connected socket takes datagrams from this server alone.
  socket.connect(port, server, () => socket.send(message))
  socket.on('message', (answer) => {
    if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) resolve(answer)
  })
  return promise.finally(() => {
    timer.cancel()
    socket.close()
  })
}

function askByTcp({ message, server, port, timeoutMs, clock }: Ask): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const socket = connect(port, server)
  const timer = clock.schedule(timeoutMs, () => resolve(undefined))
  let received = Buffer.alloc(0)
  socket.on('error', () => resolve(undefined))
  socket.on('close', () => resolve(undefined))
  socket.on('connect', () => socket.write(framed(message)))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)))
    }
  })
  return promise.finally(() => {
    timer.cancel()
    socket.destroy()
  })
}

/** A message as it travels by TCP: behind its length (RFC 1035, 4.2.2). */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.alloc(2 + message.length)
  frame.writeUInt16BE(message.length)
  message.copy(frame, 2)
  return frame
}
