import type { Expr, ListEntry, MapEntry, StructField } from './ast.ts'
import { CelCompileError } from './cel-error.ts'
import { tokens, type Token } from './lexer.ts'
import { expandMacro } from './macros.ts'

const maxDepth = 250

const reserved: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while in'.split(' '),
)

/** Reads an expression; macros become comprehensions. Throws `CelCompileError`. */
export function parse(source: string): Expr {
  const parser = new Parser(source)
  const expr = parser.expression()
  parser.expectEnd()
  return expr
}

const beginnings =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

const binary: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

class Parser {
  readonly source: string
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(source: string) {
    this.source = source
    this.#tokens = tokens(source)
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token
  }

  #fail(token: Token, why: string): CelCompileError {
    return new CelCompileError(this.source, token.at, `Syntax error: ${why}`)
  }

  /** Nothing that begins a value; a mark too many where one follows. */
  #unwanted(token: Token): CelCompileError {
    const next = this.#tokens[this.#next + 1]
    const begins =
      next !== undefined && (next.kind === 'literal' || next.kind === 'ident' || '[{(.-!'.includes(next.text))
    const isExtra = token.kind !== 'end' && begins
    return this.#fail(token, `${isExtra ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${beginnings}`)
  }

  #accept(text: string): boolean {
    const token = this.#token
    if (token.text !== text || token.kind === 'literal' || token.isQuoted || token.kind === 'end') return false
    this.#next++
    return true
  }

  #expect(text: string): void {
    if (this.#accept(text)) return
    throw this.#fail(this.#token, `mismatched input '${this.#token.text}' expecting '${text}'`)
  }

  expectEnd(): void {
    if (this.#token.kind !== 'end')
      throw this.#fail(this.#token, `extraneous input '${this.#token.text}' expecting <EOF>`)
  }

  expression(): Expr {
    if (++this.#depth > maxDepth) throw this.#fail(this.#token, 'expression recursion limit exceeded')
    const condition = this.#binary(0)
    const { at } = this.#token
    this.#depth--
    if (!this.#accept('?')) return condition
    const yes = this.#binary(0)
    this.#expect(':')
    const no = this.expression()
    return { kind: 'call', at, name: '_?_:_', target: undefined, args: [condition, yes, no] }
  }

  #binary(level: number): Expr {
    const operators = binary[level]
    if (operators === undefined) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const { at } = this.#token
      const operator = operators.find((each) => this.#accept(each))
      if (operator === undefined) return left
      left = { kind: 'call', at, name: `_${operator}_`, target: undefined, args: [left, this.#binary(level + 1)] }
    }
  }

  #unary(): Expr {
    const { at } = this.#token
    if (this.#accept('!')) return { kind: 'call', at, name: '!_', target: undefined, args: [this.#unary()] }
    if (!this.#accept('-')) return this.#member()
    const following = this.#token
    if (following.kind === 'literal' && (typeof following.value === 'bigint' || typeof following.value === 'number')) {
      this.#next++
      return this.#suffixes({ kind: 'literal', at, value: -following.value })
    }
    return { kind: 'call', at, name: '-_', target: undefined, args: [this.#unary()] }
  }

  #member(): Expr {
    return this.#suffixes(this.#primary())
  }

  #suffixes(start: Expr): Expr {
    let expr = start
    for (;;) {
      const { at } = this.#token
      if (this.#accept('.')) expr = this.#selector(expr, at)
      else if (this.#accept('[')) {
        const optional = this.#accept('?')
        const index = this.expression()
        this.#expect(']')
        expr = { kind: 'index', at, operand: expr, index, optional }
      } else if (this.#token.text === '{' && this.#token.kind === 'punctuation' && typeNameOf(expr) !== undefined) {
        expr = { kind: 'struct', at, type: typeNameOf(expr) ?? '', fields: this.#structFields() }
      } else return expr
    }
  }

  #selector(operand: Expr, at: number): Expr {
    const optional = this.#accept('?')
    const name = this.#identifier(true)
    const open = this.#token.at
    if (optional || !this.#accept('(')) return { kind: 'select', at, operand, field: name, test: false, optional }
    const args = this.#list(')')
    return expandMacro(this.source, { kind: 'call', at: open, name, target: operand, args })
  }

  #identifier(isField: boolean): string {
    const token = this.#token
    if (token.kind !== 'ident' && !(isField && token.kind === 'literal' && /^[a-z]+$/.test(token.text))) {
      throw isField
        ? this.#fail(token, `no viable alternative at input '.${token.kind === 'end' ? '' : token.text}'`)
        : this.#unwanted(token)
    }
    if (!isField && !token.isQuoted && reserved.has(token.text))
      throw new CelCompileError(this.source, token.at, `reserved identifier: ${token.text}`)
    this.#next++
    return token.text
  }

  #primary(): Expr {
    const token = this.#token
    const { at } = token
    if (token.kind === 'literal') {
      this.#next++
      if (token.value === 2n ** 63n) throw new CelCompileError(this.source, at, 'invalid int literal')
      return { kind: 'literal', at, value: token.value }
    }
    if (this.#accept('(')) {
      const inner = this.expression()
      this.#expect(')')
      return inner
    }
    if (this.#accept('[')) return { kind: 'list', at, items: this.#listEntries() }
    if (this.#accept('{')) return { kind: 'map', at, entries: this.#mapEntries() }
    this.#accept('.')
    const name = this.#identifier(false)
    const open = this.#token.at
    if (!this.#accept('(')) return { kind: 'ident', at, name }
    return expandMacro(this.source, { kind: 'call', at: open, name, target: undefined, args: this.#list(')') })
  }

  #list(closing: string): Expr[] {
    const items: Expr[] = []
    while (!this.#accept(closing)) {
      items.push(this.expression())
      if (!this.#accept(',') && this.#token.text !== closing) this.#expect(closing)
    }
    return items
  }

  #listEntries(): ListEntry[] {
    const items: ListEntry[] = []
    while (!this.#accept(']')) {
      const optional = this.#accept('?')
      items.push({ optional, value: this.expression() })
      if (!this.#accept(',') && this.#token.text !== ']') this.#expect(']')
    }
    return items
  }

  #mapEntries(): MapEntry[] {
    const entries: MapEntry[] = []
    while (!this.#accept('}')) {
      const optional = this.#accept('?')
      const key = this.expression()
      this.#expect(':')
      entries.push({ optional, key, value: this.expression() })
      if (!this.#accept(',') && this.#token.text !== '}') this.#expect('}')
    }
    return entries
  }

  #structFields(): StructField[] {
    const fields: StructField[] = []
    this.#expect('{')
    while (!this.#accept('}')) {
      const optional = this.#accept('?')
      const name = this.#identifier(true)
      this.#expect(':')
      fields.push({ optional, name, value: this.expression() })
      if (!this.#accept(',') && this.#token.text !== '}') this.#expect('}')
    }
    return fields
  }
}

/** `Object.spec` of a chain of plain selections. */
export function typeNameOf(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test || expr.optional) return undefined
  const operand = typeNameOf(expr.operand)
  return operand === undefined ? undefined : `${operand}.${expr.field}`
}
