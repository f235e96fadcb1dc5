import type { Type } from './types.ts'

/** What is known of one argument before there is a value: how long it can be at most, and the longest of its items. */
export interface Operand {
  readonly type: Type
  readonly size: number
  readonly itemSize: number
  /** How long a literal is; undefined for everything else. */
  readonly literalSize: number | undefined
}

export interface CallCost {
  /** Without that of the arguments. */
  readonly cost: number
  /** How long the result can be; absent where nothing is known. */
  readonly size?: number
}

type CostRule = (operands: readonly Operand[]) => CallCost

/** One unit of cost for so many characters walked through. */
const traversal = 0.1
const pattern = 0.25

const nothing: Operand = { type: { kind: 'simple', name: 'dyn' }, size: 0, itemSize: 0, literalSize: undefined }

function walk(size: number, factor: number = traversal): number {
  return Math.ceil(size * factor)
}

const reads: CostRule = ([text = nothing]) => ({ cost: walk(text.size) })
const copies: CostRule = ([text = nothing]) => ({ cost: walk(text.size), size: text.size })
const equals: CostRule = ([a = nothing, b = nothing]) => ({ cost: walk(Math.min(a.size, b.size)) })

/** Comparing texts walks them; numbers and times compare at once. */
const compares: CostRule = (operands) =>
  operands.every(({ type }) => isText(type) || isAny(type)) ? equals(operands) : { cost: 1 }

const concatenates: CostRule = ([a = nothing, b = nothing]) => {
  const size = a.size + b.size
  if (a.type.kind === 'list') return { cost: 1, size }
  return isText(a.type) || isAny(a.type) ? { cost: walk(size), size } : { cost: 1 }
}

const matches: CostRule = ([text = nothing, expression = nothing]) => ({
  cost: walk(text.size + 1) * walk(expression.size, pattern),
  size: text.size,
})

/** Every item is looked at, and texts among them are walked. */
const looksAtAll: CostRule = ([list = nothing]) => {
  if (list.type.kind !== 'list') return { cost: walk(list.size) }
  const each = isText(list.type.item) ? 1 + walk(list.itemSize) : 1
  return { cost: list.size * each }
}

const joins: CostRule = ([list = nothing, separator = nothing]) => {
  const size = list.size * list.itemSize + Math.max(0, list.size - 1) * separator.size
  return { cost: walk(size), size }
}

const replaces: CostRule = ([text = nothing, from = nothing, to = nothing]) => {
  const size = Math.ceil(text.size / (from.literalSize ?? 0)) * to.size
  return { cost: walk(text.size, 2 * traversal), size: Number.isNaN(size) ? text.size : size }
}

const comparesSets: CostRule = ([a = nothing, b = nothing]) => ({ cost: a.size * b.size + 1 })

/** Asking an authorizer is dear: a request is paid for with one of a few. */
const authorizationCost = 350_000
/** The longest text of a number or a time. */
const scalarTextSize = 35
const ipWalkCost = 4
const blockWalkCost = 7

const fixed =
  (cost: number): CostRule =>
  () => ({ cost })

const rules: Readonly<Record<string, CostRule>> = {
  '_==_': equals,
  '_!=_': equals,
  '_<_': compares,
  '_<=_': compares,
  '_>_': compares,
  '_>=_': compares,
  '_+_': concatenates,
  '@in': ([, holder = nothing]) => ({ cost: holder.type.kind === 'map' ? 1 : holder.size }),
  startsWith: ([, part = nothing]) => ({ cost: walk(part.size) }),
  endsWith: ([, part = nothing]) => ({ cost: walk(part.size) }),
  contains: ([text = nothing, part = nothing]) => ({ cost: walk(text.size) * walk(part.size) }),
  matches,
  find: matches,
  findAll: matches,
  string: ([value = nothing]) =>
    isText(value.type) ? copies([value]) : { cost: 1, size: isAny(value.type) ? value.size : scalarTextSize },
  bytes: copies,
  'strings.quote': copies,
  format: ([text = nothing]) => ({ cost: walk(text.size) }),
  lowerAscii: copies,
  upperAscii: copies,
  substring: copies,
  trim: copies,
  replace: replaces,
  split: ([text = nothing]) => ({ cost: walk(text.size, 2 * traversal), size: text.size }),
  join: joins,
  isSorted: looksAtAll,
  sum: looksAtAll,
  min: looksAtAll,
  max: looksAtAll,
  indexOf: looksAtAll,
  lastIndexOf: looksAtAll,
  url: copies,
  isURL: reads,
  ip: ([text = nothing]) => (isText(text.type) ? reads([text]) : { cost: 1 }),
  isIP: reads,
  cidr: reads,
  isCIDR: reads,
  'ip.isCanonical': ([text = nothing]) => ({ cost: walk(text.size, 2 * traversal) }),
  containsIP: ([, ip = nothing]) => ({ cost: ipWalkCost + (isText(ip.type) ? walk(ip.size) : 0) }),
  containsCIDR: ([, block = nothing]) => ({ cost: blockWalkCost + (isText(block.type) ? walk(block.size) : 0) }),
  quantity: reads,
  isQuantity: reads,
  semver: reads,
  isSemver: reads,
  validate: ([, text = nothing]) => ({ cost: walk(text.size) }),
  'sets.contains': comparesSets,
  'sets.intersects': comparesSets,
  'sets.equivalent': ([a = nothing, b = nothing]) => ({ cost: 2 * a.size * b.size + 1 }),
  check: fixed(authorizationCost),
}

/** What a call may cost at most by itself. */
export function callCost(name: string, operands: readonly Operand[]): CallCost {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  return rule?.(operands) ?? { cost: 1 }
}

function isText(type: Type): boolean {
  return type.kind === 'simple' && (type.name === 'string' || type.name === 'bytes')
}

function isAny(type: Type): boolean {
  return type.kind === 'simple' && type.name === 'dyn'
}
