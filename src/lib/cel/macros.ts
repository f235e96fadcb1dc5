import type { Call, Expr, Macro } from './ast.ts'
import { CelCompileError } from './cel-error.ts'

/** The macro that a call is, expanded, or the call as it is. Throws `CelCompileError` for a macro that is none. */
export function expandMacro(source: string, call: Call): Expr {
  const { name, target, args, at } = call
  if (target === undefined) return name === 'has' && args.length === 1 ? presence(source, call) : call
  if (name === 'bind' && target.kind === 'ident' && target.name === 'cel' && args.length === 3) {
    const [variable, value, body] = args as [Expr, Expr, Expr]
    return { kind: 'bind', at, name: variableName(source, variable), value, body }
  }
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return call
  return comprehension(source, call) ?? call
}

function presence(source: string, { args, at }: Call): Expr {
  const [operand] = args
  if (operand?.kind !== 'select')
    throw new CelCompileError(source, operand?.at ?? at, 'invalid argument to has() macro')
  return { ...operand, test: true }
}

const oneVariable: Readonly<Record<string, Macro>> = {
  all: 'all',
  exists: 'exists',
  exists_one: 'existsOne',
  existsOne: 'existsOne',
  map: 'map',
  filter: 'filter',
}
const twoVariables: Readonly<Record<string, Macro>> = {
  all: 'all',
  exists: 'exists',
  existsOne: 'existsOne',
  exists_one: 'existsOne',
  transformList: 'transformList',
  transformMap: 'transformMap',
}

function comprehension(source: string, { name, target, args, at }: Call): Expr | undefined {
  if (target === undefined) return undefined
  const [first, second, third, fourth] = args
  const base = { kind: 'comprehension', at, range: target } as const
  const one = Object.hasOwn(oneVariable, name) ? oneVariable[name] : undefined
  if (one !== undefined && first !== undefined && second !== undefined) {
    const names = [variableName(source, first)]
    if (args.length === 2) return { ...base, macro: one, names, filter: undefined, body: second }
    if (args.length === 3 && one === 'map' && third !== undefined) {
      return { ...base, macro: one, names, filter: second, body: third }
    }
  }
  const two = Object.hasOwn(twoVariables, name) ? twoVariables[name] : undefined
  if (two === undefined || first === undefined || second === undefined || third === undefined) return undefined
  const names = [variableName(source, first), variableName(source, second)]
  if (args.length === 3) return { ...base, macro: two, names, filter: undefined, body: third }
  if (args.length !== 4 || fourth === undefined || !two.startsWith('transform')) return undefined
  return { ...base, macro: two, names, filter: third, body: fourth }
}

function variableName(source: string, expr: Expr): string {
  if (expr.kind === 'ident') return expr.name
  throw new CelCompileError(source, expr.at, 'argument must be a simple name')
}
