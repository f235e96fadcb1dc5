import { constants, inflateRawSync } from 'node:zlib'
import { spdyDictionary } from './dictionary.ts'
import { SpdyError } from './spdy-error.ts'

/** Header names in lower case; a repeated header's values are joined as SPDY joins them, by NUL. */
export type SpdyHeaders = Readonly<Record<string, string>>

const blockMax = 64 * 1024
const pairsMax = 256
const windowBytes = 32 * 1024

/**
 * Compressed header blocks of one direction of a connection are one zlib stream, cut where each block ends by a sync flush.
 * So every block starts on a byte boundary, and inflating it alone with the last 32 KiB of text as dictionary gives
 * what inflating the whole stream would: no state but that text, no threads.
 */
export class HeaderReader {
  #window = spdyDictionary()
  #started = false

  /** Throws `SpdyError` for a block that is malformed or unpacks to more than 64 KiB. */
  read(block: Buffer): SpdyHeaders {
    const text = this.#inflate(this.#started ? block : withoutPreamble(block))
    this.#started = true
    this.#window = Buffer.concat([this.#window, text]).subarray(-windowBytes)
    return decodePairs(text)
  }

  #inflate(block: Buffer): Buffer {
    try {
      const options = { dictionary: this.#window, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: blockMax }
      return inflateRawSync(block, options)
    } catch (error) {
      throw new SpdyError('bad header block', { cause: error })
    }
  }
}

/** The two bytes of a zlib stream's head, and the dictionary's checksum if it names one. */
function withoutPreamble(block: Buffer): Buffer {
  const flags = block[1]
  if (flags === undefined || (block[0]! & 0x0f) !== 8) throw new SpdyError('header block is not zlib')
  return block.subarray((flags & 0x20) === 0 ? 2 : 6)
}

/**
 * Writes header blocks as stored (uncompressed) deflate blocks: headers here are a few dozen bytes, and what is not
 * compressed needs no state. An empty stored block ends each one, which is the sync flush readers wait for.
 */
export class HeaderWriter {
  #started = false

  write(headers: SpdyHeaders): Buffer {
    const text = encodePairs(headers)
    if (text.length > 0xffff) throw new SpdyError('headers are too large')
    const preamble = this.#started ? Buffer.alloc(0) : Buffer.from([0x78, 0x01])
    this.#started = true
    return Buffer.concat([preamble, storedBlock(text), storedBlock(Buffer.alloc(0))])
  }
}

function storedBlock(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt16LE(bytes.length ^ 0xffff, 3)
  return Buffer.concat([head, bytes])
}

function encodePairs(headers: SpdyHeaders): Buffer {
  const pairs = Object.entries(headers)
  return Buffer.concat([
    uint32(pairs.length),
    ...pairs.flatMap(([name, value]) => [...counted(name.toLowerCase()), ...counted(value)]),
  ])
}

function counted(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, 'utf8')
  return [uint32(bytes.length), bytes]
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function decodePairs(text: Buffer): SpdyHeaders {
  let offset = 0
  const number = (): number => {
    if (offset + 4 > text.length) throw new SpdyError('truncated header block')
    offset += 4
    return text.readUInt32BE(offset - 4)
  }
  const string = (): string => {
    const length = number()
    if (offset + length > text.length) throw new SpdyError('truncated header block')
    offset += length
    return text.toString('utf8', offset - length, offset)
  }
  const count = number()
  if (count > pairsMax) throw new SpdyError('too many headers')
  const headers: [string, string][] = []
  for (let index = 0; index < count; index++) headers.push([string().toLowerCase(), string()])
  return Object.fromEntries(headers)
}
