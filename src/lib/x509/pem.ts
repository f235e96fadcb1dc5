import { DerError } from './der.ts'

/** Wraps DER bytes as RFC 7468 text. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export interface PemBlock {
  readonly label: string
  readonly der: Buffer
}

/** All blocks in the text, in order; text between them is ignored. Throws `DerError` for a block that is not base64. */
export function decodePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  for (const match of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s*([^-]*)-----END \1-----/g)) {
    const base64 = match[2]!.replace(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new DerError(`PEM block ${match[1]} is not base64`)
    blocks.push({ label: match[1]!, der: Buffer.from(base64, 'base64') })
  }
  return blocks
}

export interface LooseBlock extends PemBlock {
  /** Whether `Name: value` lines stand before the data. */
  readonly hasHeaders: boolean
}

/** The blocks that lenient readers find: one that is malformed is text between blocks, as all else is. */
export function readLooseBlocks(text: string): LooseBlock[] {
  const blocks: LooseBlock[] = []
  for (const match of text.matchAll(/^-----BEGIN ([^\n]*?)-----[ \t\r]*\n([\s\S]*?)^-----END \1-----[ \t\r]*$/gm)) {
    const lines = match[2]!.split('\n')
    const headers = lines.findIndex((line) => !line.includes(':'))
    const base64 = lines.slice(headers).join('').replace(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) continue
    blocks.push({ label: match[1]!, der: Buffer.from(base64, 'base64'), hasHeaders: headers > 0 })
  }
  return blocks
}
