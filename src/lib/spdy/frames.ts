import { SpdyError } from './spdy-error.ts'

/** Frames of SPDY/3.1 as they travel; header blocks are still compressed. */
export type SpdyFrame =
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'synStream'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'synReply'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'headers'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'reset'; readonly streamId: number; readonly status: number }
  | { readonly type: 'settings'; readonly initialWindow: number | undefined }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'windowUpdate'; readonly streamId: number; readonly delta: number }
  | { readonly type: 'unknown' }

const version = 3
const types = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const
const finFlag = 0x01
const initialWindowSetting = 7

export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
} as const

/** Larger frames are refused: no peer has a reason to send them here. */
const frameMax = 1024 * 1024

/** The first whole frame in `bytes` and its length, or undefined when more bytes are needed. Throws `SpdyError`. */
export function decodeFrame(bytes: Buffer): { readonly frame: SpdyFrame; readonly length: number } | undefined {
  if (bytes.length < 8) return undefined
  const size = bytes.readUIntBE(5, 3)
  if (size > frameMax) throw new SpdyError('frame is too large')
  if (bytes.length < 8 + size) return undefined
  const flags = bytes[4]!
  const body = bytes.subarray(8, 8 + size)
  const word = bytes.readUInt32BE(0)
  if (word < 0x80000000) {
    return { frame: { type: 'data', streamId: word, fin: (flags & finFlag) !== 0, data: body }, length: 8 + size }
  }
  if (((word >>> 16) & 0x7fff) !== version) throw new SpdyError('wrong protocol version')
  return { frame: decodeControl(word & 0xffff, flags, body), length: 8 + size }
}

function decodeControl(type: number, flags: number, body: Buffer): SpdyFrame {
  const fin = (flags & finFlag) !== 0
  const streamId = (): number => read32(body, 0) & 0x7fffffff
  switch (type) {
    case types.synStream:
      if (body.length < 10) throw new SpdyError('truncated SYN_STREAM')
      return { type: 'synStream', streamId: streamId(), fin, block: body.subarray(10) }
    case types.synReply:
      return { type: 'synReply', streamId: streamId(), fin, block: body.subarray(4) }
    case types.headers:
      return { type: 'headers', streamId: streamId(), fin, block: body.subarray(4) }
    case types.reset:
      return { type: 'reset', streamId: streamId(), status: read32(body, 4) }
    case types.settings:
      return { type: 'settings', initialWindow: initialWindowOf(body) }
    case types.ping:
      return { type: 'ping', id: read32(body, 0) }
    case types.goAway:
      return { type: 'goAway', lastStreamId: streamId(), status: read32(body, 4) }
    case types.windowUpdate:
      return { type: 'windowUpdate', streamId: streamId(), delta: read32(body, 4) & 0x7fffffff }
    default:
      return { type: 'unknown' }
  }
}

function initialWindowOf(body: Buffer): number | undefined {
  const count = read32(body, 0)
  for (let index = 0; index < count; index++) {
    const id = read32(body, 4 + index * 8) & 0xffffff
    if (id === initialWindowSetting) return read32(body, 8 + index * 8) & 0x7fffffff
  }
  return undefined
}

function read32(body: Buffer, offset: number): number {
  if (offset + 4 > body.length) throw new SpdyError('truncated control frame')
  return body.readUInt32BE(offset)
}

/** The eight bytes before `length` bytes of data. */
export function encodeDataHead(streamId: number, fin: boolean, length: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(streamId)
  head.writeUInt32BE(length, 4)
  head[4] = fin ? finFlag : 0
  return head
}

function control(type: number, flags: number, ...parts: readonly (number | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? uint32(part) : part)))
  const head = Buffer.alloc(8)
  head.writeUInt16BE(0x8000 | version)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(body.length, 4)
  head[4] = flags
  return Buffer.concat([head, body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

export const encodeSynStream = (streamId: number, block: Buffer): Buffer =>
  control(types.synStream, 0, streamId, 0, Buffer.alloc(2), block)
export const encodeSynReply = (streamId: number, block: Buffer): Buffer => control(types.synReply, 0, streamId, block)
export const encodeReset = (streamId: number, status: number): Buffer => control(types.reset, 0, streamId, status)
export const encodePing = (id: number): Buffer => control(types.ping, 0, id)
export const encodeGoAway = (lastStreamId: number): Buffer => control(types.goAway, 0, lastStreamId, 0)
export const encodeWindowUpdate = (streamId: number, delta: number): Buffer =>
  control(types.windowUpdate, 0, streamId, delta)
