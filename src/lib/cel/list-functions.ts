import { CelError } from './cel-error.ts'
import type { CelFunction, CelFunctions } from './cel-function.ts'
import { add } from './arithmetic.ts'
import { compareValues } from './compare-values.ts'
import { isEqual, isList, type CelValue } from './values.ts'

function list(value: CelValue | undefined): readonly CelValue[] {
  if (value === undefined || !isList(value)) throw new CelError('no such overload')
  return value
}

export function listIndexOf([value, item]: readonly CelValue[], backwards: boolean): bigint {
  const matches = (each: CelValue): boolean => isEqual(each, item as CelValue)
  return BigInt(backwards ? list(value).findLastIndex(matches) : list(value).findIndex(matches))
}

function extreme(name: string, isBetter: (order: number) => boolean): CelFunction {
  return ([value]) => {
    const [first, ...rest] = list(value)
    if (first === undefined) throw new CelError(`${name} called on empty list`)
    return rest.reduce((best, each) => (isBetter(compareValues(each, best)) ? each : best), first)
  }
}

const isIn = (items: readonly CelValue[], item: CelValue): boolean => items.some((each) => isEqual(each, item))

/** Functions of lists and sets that Kubernetes adds. */
export const listFunctions: CelFunctions = {
  isSorted: ([value]) =>
    list(value).every((item, at, all) => at === 0 || compareValues(all[at - 1] as CelValue, item) <= 0),
  sum: ([value]) => {
    const [first, ...rest] = list(value)
    if (first === undefined) return 0n
    return rest.reduce<CelValue>((total, each) => add([total, each]), first)
  },
  min: extreme('min', (order) => order < 0),
  max: extreme('max', (order) => order > 0),
  distinct: ([value]) => list(value).filter((item, at, all) => all.findIndex((each) => isEqual(each, item)) === at),
  sort: ([value]) => [...list(value)].sort(compareValues),
  slice: ([value, from, to]) => list(value).slice(Number(from as bigint), Number(to as bigint)),
  flatten: ([value, depth]) => flatten(list(value), depth === undefined ? 1 : Number(depth as bigint)),
  'lists.range': ([count]) => Array.from({ length: rangeSize(count) }, (_unused, at) => BigInt(at)),
  'sets.contains': ([value, items]) => list(items).every((item) => isIn(list(value), item)),
  'sets.intersects': ([value, items]) => list(items).some((item) => isIn(list(value), item)),
  'sets.equivalent': ([value, items]) =>
    list(items).every((item) => isIn(list(value), item)) && list(value).every((item) => isIn(list(items), item)),
}

const longestRange = 1_000_000n

function rangeSize(count: CelValue | undefined): number {
  if (typeof count !== 'bigint') throw new CelError('no such overload')
  if (count > longestRange) throw new CelError(`lists.range: ${count} is more than ${longestRange}`)
  return Number(count < 0n ? 0n : count)
}

function flatten(items: readonly CelValue[], depth: number): readonly CelValue[] {
  if (depth <= 0) return items
  return items.flatMap((item) => (isList(item) ? flatten(item, depth - 1) : [item]))
}
