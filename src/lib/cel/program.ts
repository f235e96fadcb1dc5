import type { Call, Comprehension, Expr, Select } from './ast.ts'
import { CelCompileError, CelCostError, CelError } from './cel-error.ts'
import type { CelFunctions } from './cel-function.ts'
import { parse, typeNameOf } from './parser.ts'
import { standardFunctions } from './standard-functions.ts'
import { typeNames } from './type-names.ts'
import { CelOptional, CelUint, EntryMap, isList, isMap, type CelValue } from './values.ts'

export interface CelEnvironment {
  /** Names that stand for values. */
  readonly variables: ReadonlySet<string>
  /** Functions beside the standard ones; names may have dots. */
  readonly functions?: CelFunctions
  /** Whether a struct of this type can be written (`Object.spec{…}`). */
  readonly isStructType?: (name: string) => boolean
}

export interface EvaluationLimits {
  /** Units of cost; about one for each step, and one for each ten characters worked through. */
  readonly maxCost: number
}

export interface CelProgram {
  readonly source: string
  /** The names of `variables` that the expression uses. */
  readonly uses: ReadonlySet<string>
  /** Throws `CelError`. */
  evaluate(variables: Readonly<Record<string, CelValue>>, limits: EvaluationLimits): CelResult
}

export interface CelResult {
  readonly value: CelValue
  readonly cost: number
}

class Scope {
  readonly name: string
  value: CelValue
  readonly parent: Scope | undefined
  constructor(name: string, value: CelValue, parent: Scope | undefined) {
    this.name = name
    this.value = value
    this.parent = parent
  }
}

interface Run {
  readonly variables: Readonly<Record<string, CelValue>>
  readonly maxCost: number
  cost: number
}

type Evaluate = (run: Run, scope: Scope | undefined) => CelValue

/** Reads an expression and resolves its names. Throws `CelCompileError`. */
export function compileCel(source: string, environment: CelEnvironment): CelProgram {
  const compiler = new Compiler(source, environment)
  const evaluate = compiler.compile(parse(source), [])
  return {
    source,
    uses: compiler.uses,
    evaluate(variables, { maxCost }) {
      const run: Run = { variables, maxCost, cost: 0 }
      const value = evaluate(run, undefined)
      return { value, cost: run.cost }
    },
  }
}

function charge(run: Run, cost: number): void {
  run.cost += cost
  if (run.cost > run.maxCost) throw new CelCostError()
}

function noOverload(): CelError {
  return new CelError('no such overload')
}

class Compiler {
  readonly uses = new Set<string>()
  readonly #source: string
  readonly #environment: CelEnvironment
  readonly #functions: CelFunctions

  constructor(source: string, environment: CelEnvironment) {
    this.#source = source
    this.#environment = environment
    this.#functions = { ...standardFunctions, ...environment.functions }
  }

  compile(expr: Expr, locals: readonly string[]): Evaluate {
    switch (expr.kind) {
      case 'literal': {
        const { value } = expr
        return () => value
      }
      case 'ident':
        return this.#ident(expr.name, expr.at, locals)
      case 'select':
        return this.#select(expr, locals)
      case 'index':
        return this.#index(expr, locals)
      case 'call':
        return this.#call(expr, locals)
      case 'list':
        return this.#list(expr.items, locals)
      case 'map':
        return this.#map(expr.entries, locals)
      case 'struct':
        return this.#struct(expr, locals)
      case 'comprehension':
        return this.#comprehension(expr, locals)
      case 'bind': {
        const value = this.compile(expr.value, locals)
        const body = this.compile(expr.body, [...locals, expr.name])
        return (run, scope) => body(run, new Scope(expr.name, value(run, scope), scope))
      }
    }
  }

  #ident(name: string, at: number, locals: readonly string[]): Evaluate {
    if (locals.includes(name)) {
      return (run, scope) => {
        charge(run, 1)
        let found = scope
        while (found !== undefined && found.name !== name) found = found.parent
        return found?.value ?? null
      }
    }
    if (this.#environment.variables.has(name)) {
      this.uses.add(name)
      return (run) => {
        charge(run, 1)
        const value = run.variables[name]
        if (value === undefined) throw new CelError(`no such attribute(s): ${name}`)
        return value
      }
    }
    const type = typeNames[name]
    if (type !== undefined) return () => type
    throw new CelCompileError(this.#source, at, `undeclared reference to '${name}' (in container '')`)
  }

  #select(expr: Select, locals: readonly string[]): Evaluate {
    const { operand, field, test, optional, at } = expr
    const qualified = typeNameOf(expr)
    if (qualified !== undefined && this.#environment.variables.has(qualified)) return this.#ident(qualified, at, locals)
    const of = this.compile(operand, locals)
    if (optional) return (run, scope) => optionalMember(of(run, scope), field)
    if (test) {
      return (run, scope) => {
        charge(run, 1)
        const value = of(run, scope)
        if (value instanceof CelOptional) return value.value !== undefined && memberOf(value.value, field) !== undefined
        if (!isMap(value)) throw new CelError('no such overload')
        return value.get(field) !== undefined
      }
    }
    return (run, scope) => {
      charge(run, 1)
      const value = of(run, scope)
      if (value instanceof CelOptional) return optionalMember(value, field)
      const member = memberOf(value, field)
      if (member === undefined) throw new CelError(`no such key: ${field}`)
      return member
    }
  }

  #index({ operand, index, optional }: Expr & { kind: 'index' }, locals: readonly string[]): Evaluate {
    const of = this.compile(operand, locals)
    const at = this.compile(index, locals)
    return (run, scope) => {
      charge(run, 1)
      const value = of(run, scope)
      const key = at(run, scope)
      if (!optional && !(value instanceof CelOptional)) return itemAt(value, key)
      const inner = value instanceof CelOptional ? value.value : value
      return inner === undefined ? new CelOptional(undefined) : new CelOptional(findItem(inner, key))
    }
  }

  #call(call: Call, locals: readonly string[]): Evaluate {
    const { name, target, args, at } = call
    const special = this.#special(call, locals)
    if (special !== undefined) return special
    const qualifier = target && typeNameOf(target)
    const root = qualifier?.split('.')[0] ?? ''
    const isNamespace = qualifier !== undefined && !locals.includes(root) && !this.#environment.variables.has(root)
    const functionName = isNamespace ? `${qualifier}.${name}` : name
    const operands = target === undefined || isNamespace ? args : [target, ...args]
    const callee = Object.hasOwn(this.#functions, functionName) ? this.#functions[functionName] : undefined
    if (callee === undefined) {
      throw new CelCompileError(this.#source, at, `undeclared reference to '${name}' (in container '')`)
    }
    const compiled = operands.map((each) => this.compile(each, locals))
    return (run, scope) => {
      const values = compiled.map((each) => each(run, scope))
      charge(run, costOf(values))
      return callee(values)
    }
  }

  /** Operators that do not always look at all of their operands. */
  #special({ name, args, target }: Call, locals: readonly string[]): Evaluate | undefined {
    const operand = (index: number): Evaluate => this.compile(args[index] as Expr, locals)
    if (name === '_&&_' || name === '_||_') return shortCircuit(operand(0), operand(1), name === '_||_')
    if (name === '_?_:_') {
      const [condition, yes, no] = [operand(0), operand(1), operand(2)]
      return (run, scope) => {
        const chosen = condition(run, scope)
        if (typeof chosen !== 'boolean') throw noOverload()
        return chosen ? yes(run, scope) : no(run, scope)
      }
    }
    if (target === undefined) return undefined
    if (name === 'orValue' || name === 'or') return this.#otherwise(target, operand(0), name === 'or', locals)
    if (name !== 'optMap' && name !== 'optFlatMap') return undefined
    const variable = args[0]
    if (variable?.kind !== 'ident' || args[1] === undefined) return undefined
    const of = this.compile(target, locals)
    const body = this.compile(args[1], [...locals, variable.name])
    return (run, scope) => {
      const given = of(run, scope)
      if (!(given instanceof CelOptional)) throw noOverload()
      if (given.value === undefined) return given
      const mapped = body(run, new Scope(variable.name, given.value, scope))
      return name === 'optFlatMap' ? mapped : new CelOptional(mapped)
    }
  }

  #otherwise(target: Expr, other: Evaluate, staysOptional: boolean, locals: readonly string[]): Evaluate {
    const of = this.compile(target, locals)
    return (run, scope) => {
      charge(run, 1)
      const given = of(run, scope)
      if (!(given instanceof CelOptional)) throw noOverload()
      if (given.value === undefined) return other(run, scope)
      return staysOptional ? given : given.value
    }
  }

  #list(items: (Expr & { kind: 'list' })['items'], locals: readonly string[]): Evaluate {
    const compiled = items.map(({ value, optional }) => ({ evaluate: this.compile(value, locals), optional }))
    return (run, scope) => {
      charge(run, 10)
      return compiled.flatMap(({ evaluate, optional }) => {
        const value = evaluate(run, scope)
        if (!optional) return [value]
        return value instanceof CelOptional && value.value !== undefined ? [value.value] : []
      })
    }
  }

  #map(entries: (Expr & { kind: 'map' })['entries'], locals: readonly string[]): Evaluate {
    const compiled = entries.map(({ key, value, optional }) => ({
      key: this.compile(key, locals),
      value: this.compile(value, locals),
      optional,
    }))
    return (run, scope) => {
      charge(run, 30)
      return new EntryMap(
        compiled.flatMap(({ key, value, optional }): [CelValue, CelValue][] =>
          present(key(run, scope), value(run, scope), optional),
        ),
      )
    }
  }

  #struct({ type, fields, at }: Expr & { kind: 'struct' }, locals: readonly string[]): Evaluate {
    if (this.#environment.isStructType?.(type) !== true) {
      throw new CelCompileError(this.#source, at, `undeclared reference to '${type}' (in container '')`)
    }
    const compiled = fields.map(({ name, value, optional }) => ({ name, value: this.compile(value, locals), optional }))
    return (run, scope) => {
      charge(run, 40)
      return new EntryMap(
        compiled.flatMap(({ name, value, optional }): [CelValue, CelValue][] =>
          present(name, value(run, scope), optional),
        ),
        type,
      )
    }
  }

  #comprehension(expr: Comprehension, locals: readonly string[]): Evaluate {
    const range = this.compile(expr.range, locals)
    const inner = [...locals, ...expr.names]
    const filter = expr.filter && this.compile(expr.filter, inner)
    const body = this.compile(expr.body, inner)
    const { macro, names } = expr
    return (run, scope) => {
      const steps = stepsOf(range(run, scope), names.length)
      const scoped = function* (): Iterable<readonly [CelValue, Scope]> {
        for (const values of steps) {
          charge(run, 1)
          let own = scope
          for (const [index, name] of names.entries()) own = new Scope(name, values[index] as CelValue, own)
          if (own !== undefined && (filter === undefined || filter(run, own) === true))
            yield [values[0] as CelValue, own]
        }
      }
      if (macro === 'all' || macro === 'exists') return quantified(scoped(), run, body, macro === 'exists')
      return collected(macro, scoped(), (own) => body(run, own))
    }
  }
}

function present(key: CelValue, value: CelValue, optional: boolean): [CelValue, CelValue][] {
  if (!optional) return [[key, value]]
  return value instanceof CelOptional && value.value !== undefined ? [[key, value.value]] : []
}

/** `&&` and `||`: an error on one side does not count when the other side alone decides. */
function shortCircuit(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (run, scope) => {
    const first = attempt(left, run, scope)
    if (first === decisive) return decisive
    const second = attempt(right, run, scope)
    if (second === decisive) return decisive
    if (first instanceof CelError) throw first
    if (second instanceof CelError) throw second
    if (typeof first !== 'boolean' || typeof second !== 'boolean') throw noOverload()
    return !decisive
  }
}

function attempt(evaluate: Evaluate, run: Run, scope: Scope | undefined): CelValue | CelError {
  try {
    return evaluate(run, scope)
  } catch (error) {
    if (error instanceof CelError && !(error instanceof CelCostError)) return error
    throw error
  }
}

function quantified(
  scoped: Iterable<readonly [CelValue, Scope]>,
  run: Run,
  body: Evaluate,
  decisive: boolean,
): boolean {
  let failure: CelError | undefined
  for (const [, scope] of scoped) {
    const given = attempt(body, run, scope)
    if (given === decisive) return decisive
    if (given instanceof CelError) failure ??= given
    else if (typeof given !== 'boolean') failure ??= noOverload()
  }
  if (failure !== undefined) throw failure
  return !decisive
}

function collected(
  macro: Comprehension['macro'],
  scoped: Iterable<readonly [CelValue, Scope]>,
  body: (scope: Scope) => CelValue,
): CelValue {
  if (macro === 'transformMap') return new EntryMap([...scoped].map(([key, scope]) => [key, body(scope)] as const))
  const results: CelValue[] = []
  let count = 0
  for (const [item, scope] of scoped) {
    const given = body(scope)
    if (macro === 'map' || macro === 'transformList') results.push(given)
    else if (typeof given !== 'boolean') throw noOverload()
    else if (given) {
      count++
      results.push(item)
    }
  }
  return macro === 'existsOne' ? count === 1 : results
}

/** What the variables of a comprehension stand for, round by round. */
function stepsOf(range: CelValue, names: number): readonly (readonly CelValue[])[] {
  if (isList(range)) return range.map((item, index) => (names === 1 ? [item] : [BigInt(index), item]))
  if (!isMap(range)) throw noOverload()
  return range.keys().map((key) => (names === 1 ? [key] : [key, range.get(key) as CelValue]))
}

function memberOf(value: CelValue, field: string): CelValue | undefined {
  if (!isMap(value)) throw noOverload()
  return value.get(field)
}

function optionalMember(value: CelValue, field: string): CelOptional {
  const inner = value instanceof CelOptional ? value.value : value
  return new CelOptional(inner === undefined || !isMap(inner) ? undefined : inner.get(field))
}

function itemAt(value: CelValue, key: CelValue): CelValue {
  const item = findItem(value, key)
  if (item !== undefined) return item
  if (isList(value)) throw new CelError(`index out of bounds: ${String(indexOf(key))}`)
  throw new CelError(`no such key: ${typeof key === 'string' ? key : String(key as bigint)}`)
}

function findItem(value: CelValue, key: CelValue): CelValue | undefined {
  if (isList(value)) return value[Number(indexOf(key))]
  if (isMap(value)) return value.get(key)
  throw noOverload()
}

function indexOf(key: CelValue): bigint {
  if (typeof key === 'bigint') return key
  if (key instanceof CelUint) return key.value
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key)
  throw noOverload()
}

/** Functions that walk texts or lists cost by their size. */
function costOf(values: readonly CelValue[]): number {
  let size = 0
  for (const value of values) {
    if (typeof value === 'string' || value instanceof Uint8Array) size += value.length
    else if (isList(value)) size += value.length
  }
  return 1 + Math.ceil(size / 10)
}
