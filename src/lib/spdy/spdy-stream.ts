import { Duplex } from 'node:stream'
import type { SpdyHeaders } from './header-block.ts'

/** What a stream needs of its connection. */
export interface StreamPort {
  /** Sends as much as the windows allow now and calls back when all is sent. */
  sendData(stream: SpdyStream, data: Buffer, callback: (error?: Error | null) => void): void
  sendFin(stream: SpdyStream): void
  /** The reader took bytes that had been waiting. */
  consumed(stream: SpdyStream, bytes: number): void
  sendReset(stream: SpdyStream): void
  forget(stream: SpdyStream): void
}

/**
 * One stream, as a Node duplex with half-close: `end()` closes our half, the `end` event says that the peer closed its.
 * `destroy()` resets what is not closed yet. Whether the connection was lost, `SpdyConnection.closed` tells.
 */
export class SpdyStream extends Duplex {
  readonly id: number
  /** Of the SYN_STREAM that opened it. */
  readonly headers: SpdyHeaders
  /** Bytes received but not yet read. */
  waiting = 0
  /** Bytes that the peer's window has room for. */
  sendWindow: number
  readonly #port: StreamPort
  #finSent = false
  #finReceived = false
  #isGone = false

  constructor(id: number, headers: SpdyHeaders, sendWindow: number, port: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: 32 * 1024, writableHighWaterMark: 32 * 1024 })
    this.id = id
    this.headers = headers
    this.sendWindow = sendWindow
    this.#port = port
  }

  /** Hands received bytes to the reader; false when nobody will read them. For the connection only. */
  receive(data: Buffer, fin: boolean): boolean {
    const isWanted = !this.destroyed && !this.#finReceived
    if (isWanted && data.length > 0) {
      this.waiting += data.length
      if (this.push(data)) this.#release()
    }
    if (fin && !this.#finReceived) this.#endReading()
    return isWanted
  }

  /**
   * The peer reset the stream, or the connection is over. What was received can still be read, then comes the end: Go's
   * servers reset every stream when they are done. What is written from now on goes nowhere. For the connection only.
   */
  abandon(): void {
    this.#isGone = true
    if (!this.#finReceived) this.#endReading()
    this.#port.forget(this)
  }

  #endReading(): void {
    this.#finReceived = true
    if (!this.destroyed) this.push(null)
    this.#forgetIfClosed()
  }

  override _read(): void {
    this.#release()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#isGone) callback()
    else this.#port.sendData(this, chunk, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finSent = true
    if (!this.#isGone) this.#port.sendFin(this)
    this.#forgetIfClosed()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isGone && !(this.#finSent && this.#finReceived)) this.#port.sendReset(this)
    this.#release()
    this.#port.forget(this)
    callback(error)
  }

  #release(): void {
    if (this.waiting === 0) return
    const bytes = this.waiting
    this.waiting = 0
    this.#port.consumed(this, bytes)
  }

  #forgetIfClosed(): void {
    if (this.#finSent && this.#finReceived) this.#port.forget(this)
  }
}
