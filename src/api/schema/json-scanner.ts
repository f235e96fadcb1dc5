/**
 * What `JSON.parse` cannot tell: how many members a text has in all, which ones repeat, and why a text is no JSON in
 * the words of the API server. Only requests with something wrong in them pay for the slower two.
 */

const quote = 34
const colon = 58
const backslash = 92

/** How many members the objects of a well-formed JSON text have, repeated ones included. */
export function countMembers(text: string): number {
  let count = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) inString = !inString
    else if (inString) {
      if (code === backslash) index++
    } else if (code === colon) count++
  }
  return count
}

/** Paths of members that repeat an earlier one of the same object, in the order of the document. */
export function findDuplicates(text: string, limit: number): string[] {
  const scanner = new Scanner(text)
  scanner.run()
  return [...new Set(scanner.duplicates)].slice(0, limit)
}

/** Why a text is no JSON. The text has already been refused by `JSON.parse`. */
export function explainSyntaxError(text: string): string {
  try {
    new Scanner(text).run()
    return 'invalid JSON'
  } catch (error) {
    if (error instanceof RangeError) return 'exceeded max depth'
    return (error as Error).message
  }
}

class Scanner {
  readonly duplicates: string[] = []
  readonly #text: string
  #index = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): void {
    this.#space()
    this.#value('')
    this.#space()
    if (this.#index < this.#text.length) throw this.#unexpected('after top-level value')
  }

  #value(path: string): void {
    const character = this.#text[this.#index]
    if (character === '{') this.#object(path)
    else if (character === '[') this.#list(path)
    else if (character === '"') this.#string()
    else this.#literal()
  }

  #object(path: string): void {
    const seen = new Set<string>()
    this.#index++
    this.#space()
    if (this.#take('}')) return
    for (;;) {
      if (this.#text[this.#index] !== '"') throw this.#unexpected('looking for beginning of object key string')
      const key = JSON.parse(this.#string()) as string
      const memberPath = path === '' ? key : `${path}.${key}`
      if (seen.has(key)) this.duplicates.push(memberPath)
      seen.add(key)
      this.#space()
      if (!this.#take(':')) throw this.#unexpected('after object key')
      this.#space()
      this.#value(memberPath)
      this.#space()
      if (this.#take('}')) return
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair')
      this.#space()
    }
  }

  #list(path: string): void {
    this.#index++
    this.#space()
    if (this.#take(']')) return
    for (let position = 0; ; position++) {
      this.#value(`${path}[${position}]`)
      this.#space()
      if (this.#take(']')) return
      if (!this.#take(',')) throw this.#unexpected('after array element')
      this.#space()
    }
  }

  #string(): string {
    const start = this.#index++
    for (; this.#index < this.#text.length; this.#index++) {
      const code = this.#text.charCodeAt(this.#index)
      if (code === quote) return this.#text.slice(start, ++this.#index)
      if (code < 32) throw this.#unexpected('in string literal')
      if (code === backslash) this.#escape()
    }
    throw this.#unexpected('')
  }

  #escape(): void {
    this.#index++
    const character = this.#text[this.#index]
    if (character === undefined || !'"\\/bfnrtu'.includes(character)) throw this.#unexpected('in string escape code')
    if (character !== 'u') return
    for (let digit = 0; digit < 4; digit++) {
      this.#index++
      if (!/[0-9A-Fa-f]/.test(this.#text[this.#index] ?? ''))
        throw this.#unexpected('in \\u hexadecimal character escape')
    }
  }

  #literal(): void {
    const rest = this.#text.slice(this.#index, this.#index + 400)
    const match = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(rest)
    if (!match) throw this.#unexpected('looking for beginning of value')
    this.#index += match[0].length
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#index] ?? '-')) this.#index++
  }

  #take(character: string): boolean {
    if (this.#text[this.#index] !== character) return false
    this.#index++
    return true
  }

  #unexpected(context: string): Error {
    const character = this.#text[this.#index]
    if (character === undefined) return new Error('unexpected end of JSON input')
    return new Error(`invalid character '${shownByte(character)}' ${context}`)
  }
}

const escapes: Readonly<Record<string, string>> = {
  "'": String.raw`\'`,
  '\\': String.raw`\\`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
}

/** Upstream reads bytes, and shows the first of a character as if it were one of its own. */
function shownByte(character: string): string {
  const byte = Buffer.from(character)[0] ?? 0
  const escape = escapes[character]
  if (escape !== undefined) return escape
  const hex = byte.toString(16).padStart(2, '0')
  if (byte < 0x20 || byte === 0x7f) return `\\x${hex}`
  return (byte > 0x7f && byte < 0xa1) || byte === 0xad ? `\\u00${hex}` : String.fromCharCode(byte)
}
