import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import { badRequest } from '#api/meta/status.ts'
import type { Log } from '#lib/log.ts'
import { SpdyConnection } from '#lib/spdy/spdy-connection.ts'
import type { SpdyStream } from '#lib/spdy/spdy-stream.ts'
import type { ChannelCodec } from './channel-codec.ts'
import type { KubeletUpgrade } from './kubelet-dialer.ts'

/** Above this much unsent data the node's stream waits. */
const unsentMax = 256 * 1024

/** Port-forward for clients with channels: for the port at index `i`, data is channel `2i`, errors are channel `2i + 1`. */
export interface ForwardedPorts {
  readonly websocket: WebSocket
  readonly codec: ChannelCodec
  readonly kubelet: KubeletUpgrade
  readonly ports: readonly number[]
  readonly log: Log
}

/** The ports in a request's query, at least one. Throws `BadRequest`. */
export function parseForwardedPorts(query: URLSearchParams): readonly number[] {
  const texts = query.getAll('ports').flatMap((text) => text.split(','))
  if (texts.length === 0) throw badRequest('query parameter "port" is required')
  return texts.map((text) => {
    if (text === '') throw badRequest('query parameter "port" cannot be empty')
    const port = /^\d+$/.test(text) ? Number(text) : NaN
    if (Number.isNaN(port)) {
      const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
      throw badRequest(`unable to parse ${JSON.stringify(text)} as a port: ${why}`)
    }
    if (port < 1 || port > 65_535) throw badRequest(`port ${JSON.stringify(text)} must be > 0`)
    return port
  })
}

/** Carries one connection to each of the ports until all have ended or the client goes. */
export async function forwardChannels(forward: ForwardedPorts): Promise<void> {
  const { websocket, kubelet, ports, log } = forward
  const { socket, head } = kubelet
  const connection = new SpdyConnection({ socket, role: 'client', head, sendsWindowUpdates: false })
  connection.closed.catch(() => undefined)
  const gone = new Promise<void>((resolve) => websocket.once('close', () => resolve()))
  websocket.on('error', (error) => log.debug('a client of a port-forward broke off', { error }))
  void gone.then(() => connection.close())
  try {
    const inputs: SpdyStream[] = []
    const outputs: Promise<void>[] = []
    for (const [index, port] of ports.entries()) {
      const { data, error } = await openPort(connection, index, port)
      inputs.push(data)
      const announced = Buffer.from([port & 0xff, port >> 8])
      for (const [channel, stream] of [[2 * index, data] as const, [2 * index + 1, error] as const]) {
        websocket.send(forward.codec.encode(channel, announced))
        outputs.push(pump(stream, channel, forward))
      }
    }
    receive(forward, inputs)
    await Promise.race([Promise.all(outputs), gone])
  } catch (error) {
    log.debug('a port-forward broke', { error })
  } finally {
    websocket.resume()
    websocket.close(1000)
    connection.close()
  }
}

/** In the order that kubelets expect: the error stream first. */
async function openPort(
  connection: SpdyConnection,
  index: number,
  port: number,
): Promise<{ data: SpdyStream; error: SpdyStream }> {
  const headers = { port: String(port), requestID: String(index) }
  const error = await connection.open({ ...headers, streamType: 'error' })
  error.end()
  return { error, data: await connection.open({ ...headers, streamType: 'data' }) }
}

function receive({ websocket, codec }: ForwardedPorts, inputs: readonly SpdyStream[]): void {
  websocket.on('message', (raw: Buffer) => {
    const message = codec.decode(raw)
    const input = message !== undefined && message.channel % 2 === 0 ? inputs[message.channel / 2] : undefined
    if (message === undefined || input === undefined || input.writableEnded || input.write(message.data)) return
    websocket.pause()
    input.once('drain', () => websocket.resume())
  })
  websocket.resume()
}

async function pump(stream: Readable, channel: number, { websocket, codec }: ForwardedPorts): Promise<void> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (websocket.readyState !== websocket.OPEN) return
    const encoded = codec.encode(channel, chunk)
    if (websocket.bufferedAmount < unsentMax) websocket.send(encoded)
    else await new Promise<void>((resolve) => websocket.send(encoded, () => resolve()))
  }
}
