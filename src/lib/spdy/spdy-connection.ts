import type { Duplex } from 'node:stream'
import {
  decodeFrame,
  encodeDataHead,
  encodeGoAway,
  encodePing,
  encodeReset,
  encodeSynReply,
  encodeSynStream,
  encodeWindowUpdate,
  resetStatus,
  type SpdyFrame,
} from './frames.ts'
import { HeaderReader, HeaderWriter, type SpdyHeaders } from './header-block.ts'
import { SpdyError } from './spdy-error.ts'
import { SpdyStream, type StreamPort } from './spdy-stream.ts'

export interface SpdyOptions {
  /** An upgraded connection; the SPDY connection owns it from here on. */
  readonly socket: Duplex
  /** Who opens streams with odd numbers: the client. */
  readonly role: 'client' | 'server'
  /** A stream that the peer opened; it has been accepted. Absent: such streams are refused. */
  readonly onStream?: (stream: SpdyStream) => void
  /** Bytes that arrived together with the upgrade. */
  readonly head?: Buffer
  /** Streams open at one time, by either side; further ones are refused. Default 256. */
  readonly streamsMax?: number
  /**
   * False for peers that are known to send without regard to windows, as Go's servers do: a window update that reaches
   * a server which has just closed makes its kernel reset the connection, and what was still on the way is lost.
   */
  readonly sendsWindowUpdates?: boolean
}

/** SPDY's windows before anybody says otherwise (SPDY/3.1, section 2.6.8). */
const initialWindow = 64 * 1024
/** The most bytes in one DATA frame that we send. */
const dataMax = 16 * 1024
/** Above this much received and unread data the socket is not read: what bounds peers that ignore windows. */
const waitingMax = 256 * 1024

interface PendingSend {
  readonly stream: SpdyStream
  readonly callback: (error?: Error | null) => void
  data: Buffer
}

/**
 * SPDY/3.1 over one upgraded connection, as Kubernetes speaks it: streams, half-close, flow control, pings. Go's
 * implementation sends no window updates, so windows bind us only once the peer has sent one; until then, and for peers
 * that overrun ours, TCP's own back pressure bounds memory.
 */
export class SpdyConnection {
  /** Settles when the connection is over: resolves after an orderly end, rejects with the reason otherwise. */
  readonly closed: Promise<void>
  readonly #socket: Duplex
  readonly #options: SpdyOptions
  readonly #headerReader = new HeaderReader()
  readonly #headerWriter = new HeaderWriter()
  readonly #streams = new Map<number, SpdyStream>()
  readonly #opening = new Map<number, { resolve: (stream: SpdyStream) => void; reject: (error: Error) => void }>()
  readonly #blocked: PendingSend[] = []
  readonly #port: StreamPort
  #settle: { resolve: () => void; reject: (error: Error) => void }
  #received: Buffer = Buffer.alloc(0)
  #nextId: number
  #lastPeerId = 0
  #sendWindow = initialWindow
  #streamWindow = initialWindow
  #peerUsesWindows = false
  #waiting = 0
  #isOver = false

  constructor(options: SpdyOptions) {
    this.#options = options
    this.#socket = options.socket
    this.#nextId = options.role === 'client' ? 1 : 2
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    this.closed.catch(() => undefined)
    this.#settle = { resolve, reject }
    this.#port = {
      sendData: (stream, data, callback) => this.#send({ stream, data, callback }),
      sendFin: (stream) => this.#write(encodeDataHead(stream.id, true, 0)),
      sendReset: (stream) => this.#write(encodeReset(stream.id, resetStatus.cancel)),
      consumed: (stream, bytes) => this.#consumed(stream, bytes),
      forget: (stream) => this.#forget(stream),
    }
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#socket.on('end', () => this.#end())
    this.#socket.on('close', () =>
      this.#end(this.#streams.size > 0 ? new SpdyError('the connection was lost') : undefined),
    )
    this.#socket.on('error', (error: Error) => this.#end(error))
    this.#socket.on('drain', () => this.#flush())
    if (options.head !== undefined && options.head.length > 0) this.#onData(options.head)
  }

  /** Opens a stream; resolves when the peer has accepted it. */
  open(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#isOver) return Promise.reject(new SpdyError('the connection is closed'))
    if (this.#streams.size >= this.#streamsMax()) return Promise.reject(new SpdyError('too many streams are open'))
    const id = this.#nextId
    this.#nextId += 2
    const stream = new SpdyStream(id, headers, this.#streamWindow, this.#port)
    this.#streams.set(id, stream)
    stream.on('error', () => undefined)
    const { promise, resolve, reject } = Promise.withResolvers<SpdyStream>()
    this.#opening.set(id, { resolve, reject })
    this.#write(encodeSynStream(id, this.#headerWriter.write(headers)))
    return promise
  }

  /** Says goodbye, ends all streams that are still open, and closes the socket. */
  close(): void {
    if (this.#isOver) return
    this.#write(encodeGoAway(this.#lastPeerId))
    this.#socket.end()
    this.#end()
  }

  #streamsMax(): number {
    return this.#options.streamsMax ?? 256
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    try {
      for (
        let next = decodeFrame(this.#received);
        next !== undefined && !this.#isOver;
        next = decodeFrame(this.#received)
      ) {
        this.#received = this.#received.subarray(next.length)
        this.#onFrame(next.frame)
      }
    } catch (error) {
      this.#end(error instanceof Error ? error : new SpdyError(String(error)))
      this.#socket.destroy()
    }
  }

  #onFrame(frame: SpdyFrame): void {
    switch (frame.type) {
      case 'data':
        return this.#onStreamData(frame.streamId, frame.data, frame.fin)
      case 'synStream':
        return this.#onSynStream(frame.streamId, this.#headerReader.read(frame.block), frame.fin)
      case 'synReply':
        return this.#onSynReply(frame.streamId, frame.block, frame.fin)
      case 'headers':
        this.#headerReader.read(frame.block)
        if (frame.fin) this.#streams.get(frame.streamId)?.receive(Buffer.alloc(0), true)
        return
      case 'reset':
        return this.#onReset(frame.streamId, frame.status)
      case 'ping':
        if (frame.id % 2 !== (this.#options.role === 'client' ? 1 : 0)) this.#write(encodePing(frame.id))
        return
      case 'settings':
        return this.#onSettings(frame.initialWindow)
      case 'windowUpdate':
        return this.#onWindowUpdate(frame.streamId, frame.delta)
      case 'goAway':
      case 'unknown':
        return
    }
  }

  #onStreamData(id: number, data: Buffer, fin: boolean): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      if (data.length > 0) this.#write(encodeReset(id, resetStatus.invalidStream))
      return
    }
    this.#waiting += data.length
    if (!stream.receive(data, fin)) this.#consumed(stream, data.length)
    if (this.#waiting > waitingMax) this.#socket.pause()
  }

  #onSynStream(id: number, headers: SpdyHeaders, fin: boolean): void {
    const isTheirs = id % 2 === (this.#options.role === 'client' ? 0 : 1)
    if (!isTheirs || id <= this.#lastPeerId) throw new SpdyError(`bad stream number ${id}`)
    this.#lastPeerId = id
    if (this.#options.onStream === undefined || this.#streams.size >= this.#streamsMax()) {
      this.#write(encodeReset(id, resetStatus.refusedStream))
      return
    }
    const stream = new SpdyStream(id, headers, this.#streamWindow, this.#port)
    this.#streams.set(id, stream)
    stream.on('error', () => undefined)
    this.#write(encodeSynReply(id, this.#headerWriter.write({})))
    this.#options.onStream(stream)
    if (fin) stream.receive(Buffer.alloc(0), true)
  }

  #onSynReply(id: number, block: Buffer, fin: boolean): void {
    this.#headerReader.read(block)
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    this.#opening.get(id)?.resolve(stream)
    this.#opening.delete(id)
    if (fin) stream.receive(Buffer.alloc(0), true)
  }

  #onReset(id: number, status: number): void {
    this.#opening.get(id)?.reject(new SpdyError(`the peer refused the stream (status ${status})`))
    this.#opening.delete(id)
    this.#streams.get(id)?.abandon()
  }

  #onSettings(window: number | undefined): void {
    if (window === undefined) return
    this.#peerUsesWindows = true
    const change = window - this.#streamWindow
    this.#streamWindow = window
    for (const stream of this.#streams.values()) stream.sendWindow += change
    this.#flush()
  }

  #onWindowUpdate(id: number, delta: number): void {
    this.#peerUsesWindows = true
    const stream = this.#streams.get(id)
    if (id === 0) this.#sendWindow += delta
    else if (stream !== undefined) stream.sendWindow += delta
    this.#flush()
  }

  #consumed(stream: SpdyStream, bytes: number): void {
    if (bytes === 0) return
    this.#waiting -= bytes
    if (this.#isOver) return
    if (this.#options.sendsWindowUpdates !== false) {
      this.#write(encodeWindowUpdate(stream.id, bytes))
      this.#write(encodeWindowUpdate(0, bytes))
    }
    if (this.#waiting <= waitingMax && this.#socket.isPaused()) this.#socket.resume()
  }

  #forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id)
    for (let index = this.#blocked.length - 1; index >= 0; index--) {
      const [send] = this.#blocked[index]?.stream === stream ? this.#blocked.splice(index, 1) : []
      send?.callback()
    }
  }

  #send(send: PendingSend): void {
    if (this.#isOver) send.callback()
    else if (!this.#advance(send)) this.#blocked.push(send)
  }

  /** Sends what the windows and the socket's buffer allow; true when all is sent. */
  #advance(send: PendingSend): boolean {
    const { stream } = send
    while (send.data.length > 0) {
      if (this.#socket.writableNeedDrain) return false
      const room = this.#peerUsesWindows ? Math.min(this.#sendWindow, stream.sendWindow) : dataMax
      const size = Math.min(send.data.length, dataMax, room)
      if (size <= 0) return false
      this.#sendWindow -= size
      stream.sendWindow -= size
      const data = send.data.subarray(0, size)
      send.data = send.data.subarray(size)
      this.#write(Buffer.concat([encodeDataHead(stream.id, false, size), data]))
    }
    send.callback()
    return true
  }

  #flush(): void {
    for (const send of this.#blocked.splice(0)) if (!this.#advance(send)) this.#blocked.push(send)
  }

  #write(bytes: Buffer): void {
    if (!this.#isOver && this.#socket.writable) this.#socket.write(bytes)
  }

  #end(error?: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    if (error === undefined) this.#settle.resolve()
    else this.#settle.reject(error)
    const lost = error ?? new SpdyError('the connection is closed')
    for (const { reject } of this.#opening.values()) reject(lost)
    this.#opening.clear()
    for (const stream of [...this.#streams.values()]) stream.abandon()
    if (error === undefined) this.#socket.end()
    else this.#socket.destroy()
  }
}
