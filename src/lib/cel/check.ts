import type { Call, Comprehension, Expr, ListEntry, Select } from './ast.ts'
import { compileMessage } from './cel-error.ts'
import { badLiteral } from './check-literals.ts'
import { parse, typeNameOf } from './parser.ts'
import type { Signature, Signatures } from './signatures.ts'
import { TypeBindings } from './type-bindings.ts'
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  errorType,
  insideOptional,
  intType,
  isDynamic,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  showType,
  stringType,
  uintType,
  abstractType,
  timestampType,
  durationType,
  type Type,
} from './types.ts'
import { CelUint, type CelValue } from './values.ts'

/** What the names of an expression stand for. */
export interface Declarations {
  /** Names may have dots. */
  readonly variables: ReadonlyMap<string, Type>
  readonly signatures: Signatures
  /** The type of a struct that can be written (`Object.spec{…}`), or undefined. */
  readonly structType?: (name: string) => Type | undefined
}

/** An expression whose types agree. */
export interface CheckedExpression {
  readonly source: string
  readonly expr: Expr
  /** What it evaluates to. */
  readonly type: Type
  readonly typeOf: (expr: Expr) => Type
  /** The full name of what is called: `sets.contains`, where `contains` of a value is `contains`. */
  readonly functionOf: (call: Call) => string
  /** The variables that it uses. */
  readonly uses: ReadonlySet<string>
}

/** Everything that is wrong with an expression, each as `ERROR: <input>:1:6: …` with the place shown. */
export class CelCheckError extends Error {
  constructor(messages: readonly string[]) {
    super(messages.join('\n'))
    this.name = 'CelCheckError'
  }
}

/** Reads an expression and checks that its types agree. Throws `CelCompileError` or `CelCheckError`. */
export function checkCel(source: string, declarations: Declarations): CheckedExpression {
  const expr = parse(source)
  const checker = new Checker(declarations)
  checker.check(expr)
  if (checker.problems.length > 0) {
    // Told by place; of one place in the order of their finding.
    const problems = checker.problems.toSorted((a, b) => a.at - b.at)
    throw new CelCheckError(problems.map(({ at, why }) => compileMessage(source, at, why)))
  }
  const typeOf = (each: Expr): Type => checker.typeOf(each)
  const functionOf = (call: Call): string => checker.functions.get(call) ?? call.name
  return { source, expr, type: typeOf(expr), typeOf, functionOf, uses: checker.uses }
}

interface Problem {
  readonly at: number
  readonly why: string
}

type Locals = ReadonlyMap<string, Type>

const namedTypes: Readonly<Record<string, Type>> = {
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  list: listOf(dynType),
  map: mapOf(dynType, dynType),
  null_type: nullType,
  'google.protobuf.Timestamp': timestampType,
  'google.protobuf.Duration': durationType,
  'net.IP': abstractType('net.IP'),
  'net.CIDR': abstractType('net.CIDR'),
  optional_type: optionalOf(dynType),
  type: { kind: 'type', of: dynType },
}

class Checker {
  readonly problems: Problem[] = []
  /** Calls whose function goes by another name than they write. */
  readonly functions = new Map<Call, string>()
  readonly uses = new Set<string>()
  readonly #declarations: Declarations
  readonly #types = new Map<Expr, Type>()
  #bindings = new TypeBindings()
  #fresh = 0

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  typeOf(expr: Expr): Type {
    return this.#bindings.resolve(this.#types.get(expr) ?? dynType, true)
  }

  check(expr: Expr, locals: Locals = new Map()): Type {
    const type = this.#check(expr, locals)
    this.#types.set(expr, type)
    return type
  }

  #fail(at: number, why: string): Type {
    this.problems.push({ at, why })
    return errorType
  }

  #undeclared(at: number, name: string): Type {
    return this.#fail(at, `undeclared reference to '${name}' (in container '')`)
  }

  #check(expr: Expr, locals: Locals): Type {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value)
      case 'ident':
        return this.#named(expr.name, locals) ?? this.#undeclared(expr.at, expr.name)
      case 'select':
        return this.#select(expr, locals)
      case 'index':
        return this.#resolve(expr.at, expr.optional ? '_[?_]' : '_[_]', undefined, [
          this.check(expr.operand, locals),
          this.check(expr.index, locals),
        ])
      case 'call':
        return this.#call(expr, locals)
      case 'list':
        return listOf(this.#entries(expr.items, locals))
      case 'map':
        return mapOf(
          this.#same(expr.entries.map(({ key }) => ({ at: key.at, type: this.check(key, locals) }))),
          this.#entries(expr.entries, locals),
        )
      case 'struct':
        return this.#struct(expr, locals)
      case 'comprehension':
        return this.#comprehension(expr, locals)
      case 'bind':
        return this.check(expr.body, new Map([...locals, [expr.name, this.check(expr.value, locals)]]))
    }
  }

  #named(name: string, locals: Locals): Type | undefined {
    const local = locals.get(name)
    if (local !== undefined) return local
    const variable = this.#declarations.variables.get(name)
    if (variable !== undefined) {
      this.uses.add(name)
      return variable
    }
    const named = Object.hasOwn(namedTypes, name) ? namedTypes[name] : undefined
    return named && { kind: 'type', of: named }
  }

  #select(expr: Select, locals: Locals): Type {
    const { operand, field, test, optional, at } = expr
    const qualified = typeNameOf(expr)
    if (qualified !== undefined && !locals.has(qualified.split('.')[0] ?? '')) {
      const type = this.#named(qualified, locals)
      if (type !== undefined) return type
    }
    const holder = this.#bindings.resolve(this.check(operand, locals))
    const inside = insideOptional(holder)
    const found = this.#field(inside ?? holder, field, at, optional)
    if (test) return boolType
    return optional || inside !== undefined ? optionalOf(found) : found
  }

  #field(holder: Type, field: string, at: number, optional: boolean): Type {
    if (isDynamic(holder) || holder.kind === 'parameter') return dynType
    if (holder.kind === 'map') return holder.value
    if (holder.kind === 'object') {
      if (holder.fields === 'any') return dynType
      return holder.fields.get(field) ?? this.#fail(at, `undefined field '${field}'`)
    }
    if (!optional) this.#fail(at, `type '${showType(holder)}' does not support field selection`)
    return dynType
  }

  #call(call: Call, locals: Locals): Type {
    const { name, target, args, at } = call
    const { signatures } = this.#declarations
    const bad = badLiteral(call)
    if (bad !== undefined) this.#fail(bad.at, bad.why)
    const shown = name === '_in_' ? '@in' : name
    this.functions.set(call, shown)
    if (target === undefined) {
      if (!signatures.has(shown)) {
        for (const arg of args) this.check(arg, locals)
        return this.#undeclared(at, shown)
      }
      return this.#resolve(
        at,
        shown,
        undefined,
        args.map((arg) => this.check(arg, locals)),
      )
    }
    const qualifier = typeNameOf(target)
    if (qualifier !== undefined && signatures.has(`${qualifier}.${name}`)) {
      const types = args.map((arg) => this.check(arg, locals))
      this.functions.set(call, `${qualifier}.${name}`)
      return this.#resolve(at, `${qualifier}.${name}`, undefined, types)
    }
    const receiver = this.check(target, locals)
    if (name === 'optMap' || name === 'optFlatMap') return this.#mapOptional(call, receiver, locals)
    const types = args.map((arg) => (name === 'format' ? this.#mixed(arg, locals) : this.check(arg, locals)))
    return signatures.has(name) ? this.#resolve(at, name, receiver, types) : this.#undeclared(at, name)
  }

  /** What is put into a text may be of any types: the one list whose items need not be alike. */
  #mixed(expr: Expr, locals: Locals): Type {
    if (expr.kind !== 'list') return this.check(expr, locals)
    for (const { value } of expr.items) this.check(value, locals)
    const type = listOf(dynType)
    this.#types.set(expr, type)
    return type
  }

  #mapOptional({ name, args, at }: Call, receiver: Type, locals: Locals): Type {
    const [variable, body] = args
    if (variable?.kind !== 'ident' || body === undefined) return this.#undeclared(at, name)
    const inside = insideOptional(this.#bindings.resolve(receiver)) ?? dynType
    const mapped = this.check(body, new Map([...locals, [variable.name, inside]]))
    return name === 'optFlatMap' ? mapped : optionalOf(mapped)
  }

  /** The result of the ways to call that fit: of several with different results anything. */
  #resolve(at: number, name: string, target: Type | undefined, args: readonly Type[]): Type {
    let result: Type | undefined
    for (const signature of this.#declarations.signatures.get(name) ?? []) {
      if ((signature.target === undefined) !== (target === undefined) || signature.args.length !== args.length) continue
      const own = this.#instance(signature)
      const trial = this.#bindings.copy()
      const isFit =
        (target === undefined || own.target === undefined || trial.fits(target, own.target)) &&
        args.every((arg, index) => trial.fits(arg, own.args[index] ?? dynType))
      if (!isFit) continue
      this.#bindings = trial
      const given = trial.resolve(own.result)
      if (result === undefined) result = given
      else if (!isDynamic(result) && showType(result) !== showType(given)) result = dynType
    }
    if (result !== undefined) return result
    if ([...args, ...(target === undefined ? [] : [target])].some((type) => showType(type) === '!error!')) {
      return errorType
    }
    const show = (type: Type): string => showType(this.#bindings.resolve(type, true))
    const list = `(${args.map(show).join(', ')})`
    return this.#fail(
      at,
      `found no matching overload for '${name}' applied to '${target === undefined ? list : `${show(target)}.${list}`}'`,
    )
  }

  /** A signature whose parameters are of this one use. */
  #instance({ target, args, result }: Signature): Signature {
    const suffix = `#${this.#fresh++}`
    const own = (type: Type): Type => rename(type, suffix)
    return { target: target && own(target), args: args.map(own), result: own(result) }
  }

  #entries(entries: readonly ListEntry[], locals: Locals): Type {
    return this.#same(
      entries.map(({ value, optional }) => {
        const type = this.check(value, locals)
        if (!optional) return { at: value.at, type }
        const inside = insideOptional(this.#bindings.resolve(type))
        if (inside !== undefined) return { at: value.at, type: inside }
        if (isDynamic(type)) return { at: value.at, type: dynType }
        return { at: value.at, type: this.#mismatch(value.at, optionalOf(type), type) }
      }),
    )
  }

  /** Items of lists, keys and values of maps are of one type. */
  #same(items: readonly { readonly at: number; readonly type: Type }[]): Type {
    let common: Type | undefined
    for (const { at, type } of items) {
      if (common === undefined) common = type
      else if (this.#bindings.fits(type, common)) common = this.#bindings.mostGeneral(common, type)
      else this.#mismatch(at, common, type)
    }
    return common ?? { kind: 'parameter', name: `#${this.#fresh++}` }
  }

  #mismatch(at: number, wanted: Type, given: Type): Type {
    const show = (type: Type): string => showType(this.#bindings.resolve(type, true))
    return this.#fail(at, `expected type '${show(wanted)}' but found '${show(given)}'`)
  }

  #struct({ type: name, fields, at }: Expr & { kind: 'struct' }, locals: Locals): Type {
    const type = this.#declarations.structType?.(name)
    if (type?.kind !== 'object') {
      for (const { value } of fields) this.check(value, locals)
      return this.#undeclared(at, name)
    }
    for (const { name: field, value, optional } of fields) {
      const given = this.check(value, locals)
      const wanted = type.fields === 'any' ? dynType : type.fields.get(field)
      if (wanted === undefined) this.#fail(value.at, `undefined field '${field}'`)
      else if (!this.#bindings.fits(optional ? (insideOptional(given) ?? given) : given, wanted)) {
        const what = `expected type of field '${field}' is '${showType(wanted)}'`
        this.#fail(value.at, `${what} but provided type is '${showType(given)}'`)
      }
    }
    return type
  }

  #comprehension(expr: Comprehension, locals: Locals): Type {
    const { range, names, filter, body, macro, at } = expr
    const over = this.#bindings.resolve(this.check(range, locals))
    const inner = new Map([...locals, ...this.#loopVariables(over, names, range.at)])
    if (filter !== undefined) this.#condition(at, this.check(filter, inner))
    const type = this.check(body, inner)
    switch (macro) {
      case 'all':
      case 'exists':
        this.#resolve(at, macro === 'all' ? '_&&_' : '_||_', undefined, [boolType, type])
        return boolType
      case 'existsOne':
        this.#condition(at, type, intType)
        return boolType
      case 'filter': {
        const kept = listOf(inner.get(names[0] ?? '') ?? dynType)
        this.#condition(at, type, kept)
        return kept
      }
      case 'map':
      case 'transformList':
        return listOf(type)
      case 'transformMap':
        return mapOf(inner.get(names[0] ?? '') ?? dynType, type)
    }
  }

  #condition(at: number, type: Type, kept: Type = listOf(dynType)): void {
    this.#resolve(at, '_?_:_', undefined, [type, kept, kept])
  }

  #loopVariables(
    over: Type,
    [first = '', second]: readonly string[],
    at: number,
  ): readonly (readonly [string, Type])[] {
    if (over.kind === 'list') {
      return second === undefined
        ? [[first, over.item]]
        : [
            [first, intType],
            [second, over.item],
          ]
    }
    if (over.kind === 'map') {
      return second === undefined
        ? [[first, over.key]]
        : [
            [first, over.key],
            [second, over.value],
          ]
    }
    if (!isDynamic(over) && over.kind !== 'parameter') {
      const why = `cannot be range of a comprehension (must be list, map, or dynamic)`
      this.#fail(at, `expression of type '${showType(over)}' ${why}`)
    }
    return [first, ...(second === undefined ? [] : [second])].map((name) => [name, dynType])
  }
}

function literalType(value: CelValue): Type {
  if (value === null) return nullType
  if (typeof value === 'bigint') return intType
  if (typeof value === 'number') return doubleType
  if (typeof value === 'boolean') return boolType
  if (value instanceof CelUint) return uintType
  return typeof value === 'string' ? stringType : bytesType
}

function rename(type: Type, suffix: string): Type {
  const own = (inner: Type): Type => rename(inner, suffix)
  switch (type.kind) {
    case 'parameter':
      return { ...type, name: type.name + suffix }
    case 'list':
      return { ...type, item: own(type.item) }
    case 'map':
      return { ...type, key: own(type.key), value: own(type.value) }
    case 'type':
      return { ...type, of: own(type.of) }
    case 'abstract':
      return { ...type, parameters: type.parameters.map(own) }
    default:
      return type
  }
}
