/** DNS messages (RFC 1035, EDNS of RFC 6891): the part that a cluster's name server needs. */
export interface Query {
  readonly id: number
  readonly question: Question
  readonly recursionDesired: boolean
  /** Bytes the client accepts by UDP: 512 without EDNS. */
  readonly udpSize: number
  readonly hasEdns: boolean
}

export interface Question {
  /** Lower case, without the final dot. */
  readonly name: string
  /** As the client wrote it: answers repeat its spelling. */
  readonly spelling: string
  readonly type: number
}

export type Record = { readonly name: string; readonly ttl: number } & RecordData

export type RecordData =
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR'; readonly target: string }
  | {
      readonly type: 'SRV'
      readonly port: number
      readonly priority: number
      readonly weight: number
      readonly target: string
    }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'SOA'; readonly zone: string; readonly serial: number; readonly negativeTtl: number }

export interface Answer {
  readonly code: ResponseCode
  readonly answers: readonly Record[]
  /** SOA of the zone for negative answers (RFC 2308). */
  readonly authority: readonly Record[]
  readonly additional: readonly Record[]
}

export const responseCodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const
export type ResponseCode = keyof typeof responseCodes

export const typeNumbers = { A: 1, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const

/** Thrown for a message that is no well-formed single question. */
export class MalformedMessageError extends Error {
  /** The id to answer with, where even that could be read. */
  readonly id: number | undefined
  constructor(why: string, id?: number) {
    super(`Malformed DNS message: ${why}`)
    this.name = 'MalformedMessageError'
    this.id = id
  }
}

const headerLength = 12

/** Reads a query with exactly one question of class IN. Throws `MalformedMessageError`. */
export function readQuery(message: Buffer): Query {
  if (message.length < headerLength) throw new MalformedMessageError('shorter than a header')
  const id = message.readUInt16BE(0)
  const flags = message.readUInt16BE(2)
  if ((flags & 0x8000) !== 0) throw new MalformedMessageError('an answer, not a query')
  if ((flags & 0x7800) !== 0 || message.readUInt16BE(4) !== 1)
    throw new MalformedMessageError('not one plain question', id)
  const { spelling, end } = readName(message, headerLength, id)
  if (end + 4 > message.length) throw new MalformedMessageError('the question is cut off', id)
  const udpSize = ednsSize(message, end + 4)
  return {
    id,
    question: { name: spelling.toLowerCase(), spelling, type: message.readUInt16BE(end) },
    recursionDesired: (flags & 0x0100) !== 0,
    udpSize: Math.min(Math.max(udpSize ?? 512, 512), 4096),
    hasEdns: udpSize !== undefined,
  }
}

/** A question's name never needs compression pointers, so they are refused: no loops to fear. */
function readName(message: Buffer, start: number, id: number): { spelling: string; end: number } {
  const labels: string[] = []
  let offset = start
  for (;;) {
    const length = message[offset]
    if (length === undefined || length > 63) throw new MalformedMessageError('bad label', id)
    offset += 1
    if (length === 0) return { spelling: labels.join('.'), end: offset }
    if (offset + length > message.length || offset - start + length > 255)
      throw new MalformedMessageError('bad name', id)
    labels.push(message.toString('latin1', offset, offset + length))
    offset += length
  }
}

/** The UDP size of an OPT record that directly follows the question, as all resolvers send it. */
function ednsSize(message: Buffer, offset: number): number | undefined {
  const additional = message.readUInt16BE(10)
  if (additional === 0 || offset + 11 > message.length || message[offset] !== 0) return undefined
  return message.readUInt16BE(offset + 1) === typeNumbers.OPT ? message.readUInt16BE(offset + 3) : undefined
}

/**
 * Writes the answer to a query, with names compressed, at most `maxBytes` long: an answer that does not fit is cut to
 * whole records and marked truncated, so that the client asks again by TCP.
 */
export function writeAnswer(query: Query, answer: Answer, maxBytes: number): Buffer {
  const writer = new MessageWriter(Math.min(maxBytes, 65_535) - (query.hasEdns ? 11 : 0))
  const { recursionDesired, question } = query
  writer.header(query.id, 0x8480 | (recursionDesired ? 0x0100 : 0) | responseCodes[answer.code])
  writer.question(question)
  const sections = [answer.answers, answer.authority, answer.additional]
  const counts = sections.map(() => 0)
  let truncated = false
  sections.forEach((records, section) => {
    for (const record of records) {
      if (truncated || !writer.record(record)) {
        // Additional records are a courtesy: leaving them out loses nothing.
        truncated ||= section < 2
        return
      }
      counts[section] = (counts[section] ?? 0) + 1
    }
  })
  return writer.finish({ counts, truncated, hasEdns: query.hasEdns })
}

class MessageWriter {
  readonly #bytes: Buffer
  readonly #limit: number
  #length = 0
  /** Where each name suffix was written, for compression (RFC 1035, 4.1.4). */
  readonly #offsets = new Map<string, number>()

  constructor(limit: number) {
    this.#limit = limit
    this.#bytes = Buffer.alloc(limit + 11 + 512)
  }

  header(id: number, flags: number): void {
    this.#uint16(id)
    this.#uint16(flags)
    this.#uint16(1)
    this.#length = headerLength
  }

  question(question: Question): void {
    this.#name(question.spelling)
    this.#uint16(question.type)
    this.#uint16(1)
  }

  /** Writes one record, or nothing and answers false where it does not fit. */
  record(record: Record): boolean {
    const start = this.#length
    const known = new Set(this.#offsets.keys())
    this.#name(record.name)
    this.#uint16(typeNumbers[record.type])
    this.#uint16(1)
    this.#uint32(record.ttl)
    const lengthAt = this.#length
    this.#uint16(0)
    this.#data(record)
    this.#bytes.writeUInt16BE(this.#length - lengthAt - 2, lengthAt)
    if (this.#length <= this.#limit) return true
    this.#length = start
    for (const name of this.#offsets.keys()) if (!known.has(name)) this.#offsets.delete(name)
    return false
  }

  finish(end: { counts: readonly number[]; truncated: boolean; hasEdns: boolean }): Buffer {
    end.counts.forEach((count, section) => this.#bytes.writeUInt16BE(count, 6 + 2 * section))
    if (end.truncated) this.#bytes.writeUInt16BE(this.#bytes.readUInt16BE(2) | 0x0200, 2)
    if (end.hasEdns) {
      this.#bytes.writeUInt16BE((end.counts[2] ?? 0) + 1, 10)
      this.#bytes.set([0, 0, typeNumbers.OPT, 0x10, 0, 0, 0, 0, 0, 0, 0], this.#length)
      this.#length += 11
    }
    return this.#bytes.subarray(0, this.#length)
  }

  #data(record: Record): void {
    switch (record.type) {
      case 'A':
        for (const part of record.address.split('.')) this.#uint8(Number(part))
        break
      case 'CNAME':
      case 'PTR':
        this.#name(record.target)
        break
      case 'SRV':
        for (const value of [record.priority, record.weight, record.port]) this.#uint16(value)
        this.#name(record.target, false)
        break
      case 'TXT':
        this.#text(record.text)
        break
      case 'SOA':
        this.#name(`ns.dns.${record.zone}`)
        this.#name(`hostmaster.${record.zone}`)
        for (const value of [record.serial, 7200, 1800, 86_400, record.negativeTtl]) this.#uint32(value)
    }
  }

  #name(name: string, compress = true): void {
    let rest = name
    while (rest !== '') {
      const known = compress ? this.#offsets.get(rest.toLowerCase()) : undefined
      if (known !== undefined) return this.#uint16(0xc000 | known)
      if (this.#length < 0x3fff) this.#offsets.set(rest.toLowerCase(), this.#length)
      const cut = rest.indexOf('.')
      this.#text(cut < 0 ? rest : rest.slice(0, cut))
      rest = cut < 0 ? '' : rest.slice(cut + 1)
    }
    this.#uint8(0)
  }

  #text(text: string): void {
    this.#uint8(text.length)
    this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }

  #uint8(value: number): void {
    this.#length = this.#bytes.writeUInt8(value, this.#length)
  }

  #uint16(value: number): void {
    this.#length = this.#bytes.writeUInt16BE(value, this.#length)
  }

  #uint32(value: number): void {
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
  }
}
