import type { CelValue } from './values.ts'

/** An expression of the Common Expression Language. `at` is the offset in its text. */
export type Expr =
  | { readonly kind: 'literal'; readonly at: number; readonly value: CelValue }
  | { readonly kind: 'ident'; readonly at: number; readonly name: string }
  | Select
  | {
      readonly kind: 'index'
      readonly at: number
      readonly operand: Expr
      readonly index: Expr
      readonly optional: boolean
    }
  | Call
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly ListEntry[] }
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly MapEntry[] }
  | { readonly kind: 'struct'; readonly at: number; readonly type: string; readonly fields: readonly StructField[] }
  | Comprehension
  | { readonly kind: 'bind'; readonly at: number; readonly name: string; readonly value: Expr; readonly body: Expr }

export interface Select {
  readonly kind: 'select'
  readonly at: number
  readonly operand: Expr
  readonly field: string
  /** `has(a.b)`. */
  readonly test: boolean
  /** `a.?b`. */
  readonly optional: boolean
}

export interface Call {
  readonly kind: 'call'
  readonly at: number
  readonly name: string
  readonly target: Expr | undefined
  readonly args: readonly Expr[]
}

export interface ListEntry {
  readonly value: Expr
  readonly optional: boolean
}

export interface MapEntry extends ListEntry {
  readonly key: Expr
}

export interface StructField extends ListEntry {
  readonly name: string
}

export type Macro = 'all' | 'exists' | 'existsOne' | 'map' | 'filter' | 'transformList' | 'transformMap'

export interface Comprehension {
  readonly kind: 'comprehension'
  readonly at: number
  readonly macro: Macro
  readonly range: Expr
  /** One name: the item, or the key of a map. Two: index or key, and value. */
  readonly names: readonly string[]
  readonly filter: Expr | undefined
  readonly body: Expr
}
