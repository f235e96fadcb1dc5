import { invalidValue } from './field-errors.ts'
import { labelKey, labelValue } from './names.ts'
import { SelectorError } from './selector-error.ts'
import type { FieldError } from './status.ts'

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

/** One condition on labels. `values` is sorted and free of repeats; empty for `exists` and `!`. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

type TokenKind = 'end' | 'word' | ',' | '!' | '(' | ')' | '=' | '==' | '!=' | '>' | '<' | 'error'

interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const symbols: ReadonlySet<string> = new Set([',', '!', '(', ')', '=', '==', '!=', '>', '<'])
const isSymbol = (character: string): boolean => '=!(),><'.includes(character)
const isSpace = (character: string): boolean => ' \t\r\n'.includes(character)

/** Cuts the text into words and symbols; the longest symbol wins. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let index = 0
  while (index < text.length) {
    const character = text[index] as string
    if (isSpace(character)) {
      index++
      continue
    }
    const token = isSymbol(character) ? readSymbol(text, index) : readWord(text, index)
    tokens.push(token)
    index += token.text.length
  }
  return tokens
}

function readSymbol(text: string, start: number): Token {
  const pair = text.slice(start, start + 2)
  const symbol = symbols.has(pair) ? pair : (text[start] as string)
  return { kind: symbol as TokenKind, text: symbol }
}

function readWord(text: string, start: number): Token {
  let end = start
  while (end < text.length && !isSpace(text[end] as string) && !isSymbol(text[end] as string)) end++
  return { kind: 'word', text: text.slice(start, end) }
}

const binaryOperators: Readonly<Record<string, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}

const endToken: Token = { kind: 'end', text: '' }

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    while (this.#peek().kind !== 'end') {
      const first = this.#peek()
      if (first.kind !== 'word' && first.kind !== '!') fail(first, ", expected: !, identifier, or 'end of string'")
      requirements.push(this.#requirement())
      const separator = this.#take()
      if (separator.kind === 'end') break
      if (separator.kind !== ',') fail(separator, ", expected: ',' or 'end of string'")
      const following = this.#peek()
      if (following.kind !== 'word' && following.kind !== '!') fail(following, ", expected: identifier after ','")
    }
    return requirements
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? endToken
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #requirement(): LabelRequirement {
    try {
      return this.#readRequirement()
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`)
      throw error
    }
  }

  #readRequirement(): LabelRequirement {
    const negated = this.#peek().kind === '!'
    if (negated) this.#take()
    const key = this.#take()
    if (key.kind !== 'word') fail(key, ', expected: identifier')
    refuse(labelKey(key.text).map((message) => invalidValue('<nil>', key.text, message)))
    if (negated) return { key: key.text, operator: '!', values: [] }
    const next = this.#peek().kind
    if (next === 'end' || next === ',') return { key: key.text, operator: 'exists', values: [] }
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : [this.#exactValue()]
    return checkedRequirement({ key: key.text, operator, values: [...new Set(values)].sort() })
  }

  #operator(): LabelOperator {
    const token = this.#take()
    const operator = Object.hasOwn(binaryOperators, token.text) ? binaryOperators[token.text] : undefined
    return operator ?? fail(token, ', expected: in, notin, =, ==, !=, gt, lt')
  }

  #exactValue(): string {
    const next = this.#peek().kind
    if (next === 'end' || next === ',') return ''
    const token = this.#take()
    return token.kind === 'word' ? token.text : fail(token, ', expected: identifier')
  }

  /** `(a,b)`: an empty place, as in `(a,)` or `()`, is the empty string. */
  #valueList(): string[] {
    const open = this.#take()
    if (open.kind !== '(') fail(open, " expected: '('")
    const values: string[] = []
    for (;;) {
      const isWord = this.#peek().kind === 'word'
      values.push(isWord ? this.#take().text : '')
      const token = this.#take()
      if (token.kind === ')') return values
      if (token.kind !== ',') fail(token, isWord ? ", expected: ',' or ')'" : ", expected: ',', ')' or identifier")
    }
  }
}

function fail(token: Token, expectation: string): never {
  throw new SelectorError(`found '${token.text}'${expectation}`)
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  const lines = errors.map((error) => `${error.field}: ${error.message}`)
  throw new SelectorError(lines.length === 1 ? (lines[0] as string) : `[${lines.join(', ')}]`)
}

function checkedRequirement(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement
  const isOrder = operator === 'gt' || operator === 'lt'
  const words = "for 'Gt', 'Lt' operators, the value must be an integer"
  refuse(
    values.flatMap((value, index) => [
      ...(isOrder && !/^[+-]?\d{1,19}$/.test(value) ? [invalidValue(`values[${index}]`, value, words)] : []),
      ...labelValue(value).map((message) => invalidValue(`values[${index}][${key}]`, value, message)),
    ]),
  )
  return requirement
}

/** Reads the text form of a label selector. Throws `SelectorError`. */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  return new Parser(text).parse()
}
