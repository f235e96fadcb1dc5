import type { Call, Comprehension, Expr } from './ast.ts'
import { callCost, type Operand } from './call-costs.ts'
import type { CheckedExpression } from './check.ts'
import { typeNameOf } from './parser.ts'
import { insideOptional, isSimple, type Type } from './types.ts'
import { CelUint } from './values.ts'

/**
 * What an expression may cost at most, by the sizes that the declared types of its variables allow. Not finite where
 * nothing bounds it.
 */
export function estimateCost(checked: CheckedExpression, variables: ReadonlyMap<string, Type>): number {
  const names = new Map([...variables].map(([name, declared]): [string, Known] => [name, { declared }]))
  return new Estimator(checked, names).cost(checked.expr, names)
}

/** What is known of the value of a name: the type that a schema declares, or the size that was worked out. */
interface Known {
  readonly declared?: Type | undefined
  readonly size?: number | undefined
}

type Names = ReadonlyMap<string, Known>

const selectionCost = 1
const listCost = 10
const mapCost = 30
const structCost = 40

class Estimator {
  readonly #checked: CheckedExpression
  readonly #variables: Names
  readonly #sizes = new Map<Expr, number>()
  /** The schema's type of what an expression stands for, where that is a part of a variable. */
  readonly #declared = new Map<Expr, Type>()

  constructor(checked: CheckedExpression, variables: Names) {
    this.#checked = checked
    this.#variables = variables
  }

  cost(expr: Expr, names: Names): number {
    switch (expr.kind) {
      case 'literal':
        return 0
      case 'ident':
        this.#note(expr, names.get(expr.name))
        return selectionCost
      case 'select':
        return this.#select(expr, names)
      case 'index':
        return this.#index(expr, names)
      case 'call':
        return this.#call(expr, names)
      case 'list':
        return listCost + this.#all(expr.items, names)
      case 'map': {
        const keys = expr.entries.reduce((sum, { key }) => sum + this.cost(key, names), 0)
        return mapCost + keys + this.#all(expr.entries, names)
      }
      case 'struct':
        return structCost + this.#all(expr.fields, names)
      case 'comprehension':
        return this.#comprehension(expr, names)
      case 'bind':
        return this.#bind(expr, names)
    }
  }

  #all(entries: readonly { readonly value: Expr }[], names: Names): number {
    return entries.reduce((sum, { value }) => sum + this.cost(value, names), 0)
  }

  #note(expr: Expr, known: Known | undefined): void {
    if (known?.declared !== undefined) this.#declared.set(expr, known.declared)
    if (known?.size !== undefined) this.#sizes.set(expr, known.size)
  }

  #select(expr: Expr & { kind: 'select' }, names: Names): number {
    const qualified = typeNameOf(expr)
    const variable = qualified === undefined ? undefined : this.#variables.get(qualified)
    if (variable !== undefined) {
      this.#note(expr, variable)
      return selectionCost
    }
    const cost = this.cost(expr.operand, names)
    const declared = this.#declared.get(expr.operand)
    if (declared?.kind === 'object' && declared.fields !== 'any') {
      this.#note(expr, { declared: declared.fields.get(expr.field) })
    } else if (declared?.kind === 'map' && declared.sizesSelected === true)
      this.#note(expr, { declared: declared.value })
    if (expr.test) return cost
    if (expr.optional) return cost + 1
    const holder = this.#checked.typeOf(expr.operand)
    return cost + (holder.kind === 'map' || holder.kind === 'object' ? selectionCost : 0)
  }

  #index(expr: Expr & { kind: 'index' }, names: Names): number {
    const cost = this.cost(expr.operand, names) + this.cost(expr.index, names) + 1
    this.#note(expr, { declared: itemOf(this.#declared.get(expr.operand)) })
    return cost
  }

  #call(call: Call, names: Names): number {
    const { name, target, args } = call
    if (name === '_?_:_') return this.#choice(call, names)
    if (name === '_&&_' || name === '_||_') return this.#operands(args, names)
    if (target !== undefined && (name === 'optMap' || name === 'optFlatMap')) {
      const [variable, body] = args
      const of = this.cost(target, names)
      if (variable?.kind !== 'ident' || body === undefined) return of
      return of + listCost + this.cost(body, new Map([...names, [variable.name, {}]]))
    }
    const full = this.#checked.functionOf(call)
    const operands = target !== undefined && full === name ? [target, ...args] : args
    const inside = this.#operands(operands, names)
    const known = operands.map((each): Operand => this.#operand(each))
    const { cost, size } = callCost(full, known)
    if (size !== undefined) this.#sizes.set(call, size)
    // What is taken out of an optional is what the schema says of it, or what stands in for it.
    if (target !== undefined && unwrapping.has(full)) {
      this.#sizes.set(call, Math.max(...operands.map((each) => this.#size(each))))
      this.#note(call, { declared: this.#declared.get(target) })
    }
    return inside + cost
  }

  #operands(operands: readonly Expr[], names: Names): number {
    return operands.reduce((sum, each) => sum + this.cost(each, names), 0)
  }

  #choice(call: Call, names: Names): number {
    const [condition, yes, no] = call.args as readonly [Expr, Expr, Expr]
    const cost = this.cost(condition, names) + Math.max(this.cost(yes, names), this.cost(no, names))
    this.#sizes.set(call, Math.max(this.#size(yes), this.#size(no)))
    return cost
  }

  #operand(expr: Expr): Operand {
    const declared = this.#declared.get(expr)
    const item = declared?.kind === 'list' ? declared.item : undefined
    const itemSize = item === undefined ? Number.POSITIVE_INFINITY : maxElementsOf(item)
    return { type: this.#checked.typeOf(expr), size: this.#size(expr), itemSize, literalSize: literalSize(expr) }
  }

  #size(expr: Expr): number {
    const known = this.#sizes.get(expr) ?? literalSize(expr)
    if (known !== undefined) return known
    const declared = this.#declared.get(expr)
    if (declared !== undefined) return maxElementsOf(declared)
    const type = this.#checked.typeOf(expr)
    const isScalar = isSimple(type, 'bool', 'int', 'uint', 'double', 'null', 'timestamp', 'duration')
    return isScalar || type.kind === 'type' || (type.kind === 'abstract' && insideOptional(type) === undefined)
      ? 1
      : Number.POSITIVE_INFINITY
  }

  #bind(expr: Expr & { kind: 'bind' }, names: Names): number {
    const value = this.cost(expr.value, names)
    const known: Known = { declared: this.#declared.get(expr.value), size: this.#sizes.get(expr.value) }
    const body = this.cost(expr.body, new Map([...names, [expr.name, known]]))
    this.#note(expr, { declared: this.#declared.get(expr.body), size: this.#sizes.get(expr.body) })
    return listCost + value + body
  }

  #comprehension(expr: Comprehension, names: Names): number {
    const { range, macro } = expr
    const over = this.cost(range, names)
    const inner = new Map([...names, ...this.#loopVariables(expr)])
    const body = this.cost(expr.body, inner)
    const filter = expr.filter === undefined ? 0 : this.cost(expr.filter, inner)
    const { start, round, end } = overheads[macro]
    const count = this.#size(range)
    if (macro !== 'all' && macro !== 'exists' && macro !== 'existsOne') this.#sizes.set(expr, count)
    return over + start + end + (count === 0 ? 0 : count * (round + body + filter))
  }

  #loopVariables({ range, names: [first = '', second] }: Comprehension): readonly (readonly [string, Known])[] {
    const declared = this.#declared.get(range)
    const item: Known = { declared: itemOf(declared) }
    const key: Known = { declared: declared?.kind === 'map' ? declared.key : undefined }
    const isList = this.#checked.typeOf(range).kind === 'list'
    if (second !== undefined)
      return [
        [first, isList ? {} : key],
        [second, item],
      ]
    return [[first, isList ? item : key]]
  }
}

const unwrapping: ReadonlySet<string> = new Set(['or', 'orValue', 'value'])

/** What a macro costs beside its parts: once before, in each round, once after; as its loop is written out. */
const overheads: Readonly<Record<Comprehension['macro'], { start: number; round: number; end: number }>> = {
  all: { start: 0, round: 3, end: 1 },
  exists: { start: 0, round: 4, end: 1 },
  existsOne: { start: 0, round: 2, end: 2 },
  map: { start: listCost, round: 2 + listCost, end: 1 },
  filter: { start: listCost, round: 3 + listCost, end: 1 },
  transformList: { start: listCost, round: 2 + listCost, end: 1 },
  transformMap: { start: mapCost, round: 3, end: 1 },
}

function itemOf(declared: Type | undefined): Type | undefined {
  if (declared?.kind === 'list') return declared.item
  return declared?.kind === 'map' ? declared.value : undefined
}

/** Of a declared type without a size nothing is walked. */
function maxElementsOf(type: Type): number {
  return 'maxElements' in type ? (type.maxElements ?? 0) : 0
}

function literalSize(expr: Expr): number | undefined {
  if (expr.kind === 'list') return expr.items.length
  if (expr.kind === 'map') return expr.entries.length
  if (expr.kind !== 'literal') return undefined
  const { value } = expr
  if (typeof value === 'string') return Array.from(value).length
  if (value instanceof Uint8Array) return value.length
  return value === null || typeof value !== 'object' || value instanceof CelUint ? 1 : undefined
}
