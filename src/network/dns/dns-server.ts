import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { framed, type Forwarder } from './forwarder.ts'
import { MalformedMessageError, readQuery, responseCodes, writeAnswer } from './message.ts'
import { answerFromCluster, type ClusterView, type ZoneOptions } from './records.ts'

export interface DnsServerOptions {
  readonly address: string
  /** 0 takes any free port, the same for UDP and TCP where that can be had. */
  readonly port: number
  readonly view: ClusterView
  readonly zone: ZoneOptions
  readonly forwarder: Forwarder
  readonly clock: Clock
  readonly log: Log
}

export interface DnsServer {
  readonly port: number
  close(): Promise<void>
}

const maxConnections = 256
const idleMs = 10_000
const empty = { answers: [], authority: [], additional: [] }

/** Serves DNS by UDP and TCP at one address: the cluster's own names, and what others say of the rest. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const tcp = createServer((socket) => serveConnection(socket, options))
  tcp.maxConnections = maxConnections
  tcp.listen(options.port, options.address)
  await once(tcp, 'listening')
  const { port } = tcp.address() as { port: number }
  const udp = createSocket('udp4')
  udp.on('message', (message, peer) => void serveDatagram(udp, message, peer, options))
  udp.bind(port, options.address)
  await once(udp, 'listening')
  // Errors of single datagrams (an unreachable client) must not end the server.
  udp.on('error', (error) => options.log.debug('A DNS datagram failed', { error }))
  return { port, close: () => closeBoth(udp, tcp) }
}

async function closeBoth(udp: DatagramSocket, tcp: Server): Promise<void> {
  udp.close()
  tcp.close()
  await once(tcp, 'close')
}

async function serveDatagram(
  udp: DatagramSocket,
  message: Buffer,
  peer: { address: string; port: number },
  options: DnsServerOptions,
): Promise<void> {
  const answer = await answerMessage(message, 'udp', options)
  if (answer) udp.send(answer, peer.port, peer.address)
}

function serveConnection(socket: Socket, options: DnsServerOptions): void {
  let received = Buffer.alloc(0)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const message = received.subarray(2, 2 + received.readUInt16BE(0))
      received = received.subarray(2 + message.length)
      void answerMessage(message, 'tcp', options).then((answer) => {
        if (answer && !socket.destroyed) socket.write(framed(answer))
      })
    }
  })
}

/** The answer to one message; undefined for what deserves none (answers, garbage without an id). Never rejects. */
async function answerMessage(
  message: Buffer,
  transport: 'udp' | 'tcp',
  options: DnsServerOptions,
): Promise<Buffer | undefined> {
  try {
    const query = readQuery(message)
    const maxBytes = transport === 'udp' ? query.udpSize : 65_535
    const own = answerFromCluster(query.question, options.view, options.zone)
    if (own) return writeAnswer(query, own, maxBytes)
    return (
      (await options.forwarder.forward(message, transport)) ??
      writeAnswer(query, { code: 'serverFailure', ...empty }, maxBytes)
    )
  } catch (error) {
    if (error instanceof MalformedMessageError) return error.id === undefined ? undefined : formatError(error.id)
    options.log.error('A DNS question could not be answered', { error })
    return undefined
  }
}

function formatError(id: number): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(id)
  header.writeUInt16BE(0x8000 | responseCodes.formatError, 2)
  return header
}
