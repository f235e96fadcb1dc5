import { CelCompileError } from './cel-error.ts'
import { CelUint, type CelValue } from './values.ts'

export interface Token {
  readonly kind: 'ident' | 'literal' | 'punctuation' | 'end'
  /** Of an identifier or punctuation. */
  readonly text: string
  readonly value: CelValue
  readonly at: number
  /** Identifier in backquotes: never a keyword. */
  readonly isQuoted: boolean
}

const space = /(?:\s|\/\/[^\n]*)+/y
const number = /0x([0-9a-fA-F]+)(u?)|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+)(u?)/y
const identifier = /[A-Za-z_]\w*/y
const quotedIdentifier = /`([A-Za-z0-9_.\-/ ]+)`/y
const punctuation = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y
const text =
  /([rRbB]{0,2})(?:"""((?:[^\\]|\\[\s\S])*?)"""|'''((?:[^\\]|\\[\s\S])*?)'''|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')/y

/** Cuts an expression into tokens, the last of kind `end`. Throws `CelCompileError`. */
export function tokens(source: string): Token[] {
  const found: Token[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(source)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  for (;;) {
    take(space)
    const start = at
    const add = (kind: Token['kind'], shown: string, value: CelValue = null, isQuoted = false): void =>
      void found.push({ kind, text: shown, value, at: start, isQuoted })
    if (at >= source.length) {
      add('end', '<EOF>')
      return found
    }
    const literal = textToken(take(text), source, start) ?? numberToken(take(number), source, start)
    if (literal !== undefined) {
      add('literal', source.slice(start, at), literal)
      continue
    }
    const quoted = take(quotedIdentifier)
    if (quoted !== null) {
      add('ident', quoted[1] as string, null, true)
      continue
    }
    const name = take(identifier)
    if (name !== null) {
      if (name[0] === 'true' || name[0] === 'false') add('literal', name[0], name[0] === 'true')
      else if (name[0] === 'null') add('literal', 'null', null)
      else add('ident', name[0])
      continue
    }
    const mark = take(punctuation)
    if (mark === null) {
      throw new CelCompileError(source, at, `Syntax error: token recognition error at: '${source[at]}'`)
    }
    add('punctuation', mark[0])
  }
}

function numberToken(match: RegExpExecArray | null, source: string, at: number): CelValue | undefined {
  if (match === null) return undefined
  const [, hex, hexUnsigned, double, decimal, unsigned] = match
  if (double !== undefined) return Number(double)
  const value = BigInt(hex === undefined ? (decimal as string) : `0x${hex}`)
  if (hexUnsigned === 'u' || unsigned === 'u') return new CelUint(value)
  // The least integer is written with a minus before a number too great by one.
  if (value > 2n ** 63n) throw new CelCompileError(source, at, 'invalid int literal')
  return value
}

function textToken(match: RegExpExecArray | null, source: string, at: number): CelValue | undefined {
  if (match === null) return undefined
  const prefix = (match[1] ?? '').toLowerCase()
  const body = match[2] ?? match[3] ?? match[4] ?? match[5] ?? ''
  const value = prefix.includes('r') ? body : unescape(body, source, at)
  return prefix.includes('b') ? Buffer.from(value) : value
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}

const escape = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g

function unescape(body: string, source: string, at: number): string {
  if (!body.includes('\\')) return body
  return body.replace(escape, (_all, hex?: string, four?: string, eight?: string, octal?: string, plain?: string) => {
    const code = hex ?? four ?? eight
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    const meant = escapes[plain ?? '']
    if (meant === undefined) throw new CelCompileError(source, at, 'Syntax error: invalid escape in a string')
    return meant
  })
}
