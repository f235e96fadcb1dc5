import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Log } from '#lib/log.ts'
import { SpdyConnection } from '#lib/spdy/spdy-connection.ts'
import type { SpdyStream } from '#lib/spdy/spdy-stream.ts'
import { channels, type CommandProtocol } from './channel-codec.ts'
import type { KubeletUpgrade } from './kubelet-dialer.ts'
import type { StreamOptions } from './stream-options.ts'

/** The most of a command's final status that is read. */
const statusMax = 64 * 1024
/** Above this much unsent output the node's stream waits. */
const unsentMax = 256 * 1024

/** A connection that is both: WebSocket channels to the client, SPDY streams to the kubelet. */
export interface RemoteCommand {
  readonly websocket: WebSocket
  readonly protocol: CommandProtocol
  readonly kubelet: KubeletUpgrade
  readonly options: StreamOptions
  readonly log: Log
}

/**
 * Carries one exec or attach until it is over. The client gets all output before the final status (channel 3), and the
 * status before the close; a lost kubelet becomes a failure status, never a success.
 */
export async function translateRemoteCommand(command: RemoteCommand): Promise<void> {
  const { websocket, kubelet, log } = command
  const { socket, head } = kubelet
  // Runtimes' streaming servers are Go's: they read no windows.
  const connection = new SpdyConnection({ socket, role: 'client', head, sendsWindowUpdates: false })
  const gone = new Promise<void>((resolve) => websocket.once('close', () => resolve()))
  websocket.on('error', (error) => log.debug('a client of a remote command broke off', { error }))
  void gone.then(() => connection.close())
  try {
    const streams = await openStreams(connection, command.options)
    receiveFrom(command, streams)
    const output = [
      ...(streams.stdout ? [pump(streams.stdout, channels.stdout, command)] : []),
      ...(streams.stderr ? [pump(streams.stderr, channels.stderr, command)] : []),
    ]
    const status = await Promise.race([finalStatus(streams.error), gone])
    if (status === undefined) return
    await Promise.race([Promise.all(output), gone])
    sayEnd(command, status)
  } catch (error) {
    sayEnd(command, failure(`the connection to the node broke: ${messageOf(error)}`))
  } finally {
    websocket.resume()
    websocket.close(1000)
    connection.close()
  }
}

interface Streams {
  readonly error: SpdyStream
  readonly stdin: SpdyStream | undefined
  readonly stdout: SpdyStream | undefined
  readonly stderr: SpdyStream | undefined
  readonly resize: SpdyStream | undefined
}

/** In the order that kubelets expect: the error stream first. */
async function openStreams(connection: SpdyConnection, options: StreamOptions): Promise<Streams> {
  const open = async (streamType: string, isWanted: boolean): Promise<SpdyStream | undefined> =>
    isWanted ? connection.open({ streamType }) : undefined
  const error = await connection.open({ streamType: 'error' })
  error.end()
  return {
    error,
    stdin: await open('stdin', options.stdin),
    stdout: await open('stdout', options.stdout),
    stderr: await open('stderr', options.stderr),
    resize: await open('resize', options.tty),
  }
}

/** Takes stdin, resizes and the close signal from the client. */
function receiveFrom({ websocket, protocol: { codec } }: RemoteCommand, { stdin, resize }: Streams): void {
  websocket.on('message', (raw: Buffer) => {
    const message = codec.decode(raw)
    if (message === undefined) return
    if (message.channel === channels.stdin && stdin !== undefined && !stdin.writableEnded) {
      if (stdin.write(message.data)) return
      websocket.pause()
      stdin.once('drain', () => websocket.resume())
    } else if (message.channel === channels.resize && resize !== undefined) resize.write(message.data)
    else if (message.channel === channels.close && message.data[0] === channels.stdin) {
      stdin?.end()
      websocket.resume() // A stream that has ended never drains.
    }
  })
  websocket.resume()
}

/** Sends a stream's bytes to a channel until the stream ends. */
async function pump(
  stream: Readable,
  channel: number,
  { websocket, protocol: { codec } }: RemoteCommand,
): Promise<void> {
  // Left open at its end: a reset that reaches a runtime which has just closed its side would cost us the final status.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (websocket.readyState !== websocket.OPEN) return
    const encoded = codec.encode(channel, chunk)
    if (websocket.bufferedAmount < unsentMax) websocket.send(encoded)
    else await new Promise<void>((resolve) => websocket.send(encoded, () => resolve()))
  }
}

/** What the kubelet says at the end: a Status, as the version 4 protocol has it. */
async function finalStatus(error: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of error as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > statusMax) return failure('the node sent too long a status')
  }
  return length === 0
    ? failure('the node closed the connection without saying how the command ended')
    : Buffer.concat(chunks)
}

function failure(message: string): Buffer {
  const status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 }
  return Buffer.from(JSON.stringify(status))
}

/** The last word of the conversation, as the client's protocol has it. */
function sayEnd({ websocket, protocol: { codec, endsWithStatus } }: RemoteCommand, status: Buffer): void {
  if (websocket.readyState !== websocket.OPEN) return
  const word = endsWithStatus ? status : Buffer.from(errorTextOf(status))
  if (word.length > 0) websocket.send(codec.encode(channels.error, word))
}

function errorTextOf(status: Buffer): string {
  const { status: outcome, message = '' } = JSON.parse(status.toString()) as { status?: string; message?: string }
  return outcome === 'Success' ? '' : message
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
