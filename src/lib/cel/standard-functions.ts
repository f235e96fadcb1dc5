import { compilePattern } from '../pattern.ts'
import { CelError } from './cel-error.ts'
import { add, arithmetic, int, subtractNumbers } from './arithmetic.ts'
import { compareValues } from './compare-values.ts'
import { listFunctions } from './list-functions.ts'
import type { CelFunction, CelFunctions } from './cel-function.ts'
import { stringFunctions } from './string-functions.ts'
import { timeFunctions } from './time-functions.ts'
import {
  CelDuration,
  CelOptional,
  CelOpaque,
  CelTimestamp,
  CelType,
  CelUint,
  formatTimestamp,
  isEqual,
  isList,
  isMap,
  numeric,
  trimZeros,
  typeOf,
  type CelValue,
} from './values.ts'
import { parseDuration, parseTimestamp } from './time-text.ts'

function noOverload(): CelError {
  return new CelError('no such overload')
}

const subtract: CelFunction = (args) => {
  const [a, b] = args as [CelValue, CelValue]
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return new CelDuration(a.nanos - b.nanos)
  if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.nanos - b.nanos)
  if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(int(a.nanos - b.nanos))
  return subtractNumbers(args)
}

function divisor(value: bigint, message: string): bigint {
  if (value === 0n) throw new CelError(message)
  return value
}

const ordered =
  (holds: (order: number) => boolean): CelFunction =>
  ([a, b]) =>
    holds(compareValues(a as CelValue, b as CelValue))

function sizeOf(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt(Array.from(value).length)
  if (value instanceof Uint8Array || isList(value)) return BigInt(value.length)
  if (isMap(value)) return BigInt(value.size)
  throw noOverload()
}

const contains: CelFunction = ([item, holder]) => {
  if (isList(holder as CelValue)) return (holder as readonly CelValue[]).some((each) => isEqual(each, item as CelValue))
  if (isMap(holder as CelValue) && holder !== undefined)
    return (holder as { get(key: CelValue): unknown }).get(item as CelValue) !== undefined
  throw noOverload()
}

const conversions: CelFunctions = {
  int: ([value]) => toInt(value as CelValue),
  uint: ([value]) => new CelUint(value instanceof CelUint ? value.value : toInt(value as CelValue)),
  double: ([value]) => {
    const number = numeric(value as CelValue)
    if (number !== undefined) return Number(number)
    if (typeof value !== 'string' || value.trim() === '' || Number.isNaN(Number(value)))
      throw badConversion(value, 'double')
    return Number(value)
  },
  string: ([value]) => toText(value as CelValue),
  bytes: ([value]) => {
    if (typeof value === 'string') return Buffer.from(value)
    if (value instanceof Uint8Array) return value
    throw noOverload()
  },
  bool: ([value]) => {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 't' || value === 'True' || value === 'TRUE' || value === '1') return true
    if (value === 'false' || value === 'f' || value === 'False' || value === 'FALSE' || value === '0') return false
    throw typeof value === 'string' ? badConversion(value, 'bool') : noOverload()
  },
  timestamp: ([value]) => {
    if (value instanceof CelTimestamp) return value
    if (typeof value === 'bigint') return new CelTimestamp(value * 1_000_000_000n)
    if (typeof value === 'string') return parseTimestamp(value)
    throw noOverload()
  },
  duration: ([value]) => {
    if (value instanceof CelDuration) return value
    if (typeof value === 'string') return parseDuration(value)
    throw noOverload()
  },
  dyn: ([value]) => value as CelValue,
  type: ([value]) => new CelType(typeOf(value as CelValue)),
}

function badConversion(value: CelValue | undefined, type: string): CelError {
  return new CelError(`type conversion error from '${JSON.stringify(value)}' to '${type}'`)
}

function toInt(value: CelValue): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof CelUint) return int(value.value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new CelError('integer overflow')
    return BigInt(Math.trunc(value))
  }
  if (value instanceof CelTimestamp) return value.nanos / 1_000_000_000n
  if (typeof value !== 'string') throw noOverload()
  if (!/^[+-]?\d+$/.test(value)) {
    throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  }
  return int(BigInt(value))
}

/** The text of a value as `string()` gives it. */
function toText(value: CelValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (value instanceof CelUint) return String(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  if (value instanceof CelDuration) return `${trimZeros(value.nanos)}s`
  if (value instanceof CelOpaque && typeof value.data === 'string') return value.data
  throw noOverload()
}

const optionals: CelFunctions = {
  'optional.of': ([value]) => new CelOptional(value as CelValue),
  'optional.none': () => new CelOptional(undefined),
  'optional.ofNonZeroValue': ([value]) => new CelOptional(isZero(value as CelValue) ? undefined : (value as CelValue)),
  hasValue: ([value]) => {
    if (value instanceof CelOptional) return value.value !== undefined
    throw noOverload()
  },
  value: ([value]) => {
    if (!(value instanceof CelOptional)) throw noOverload()
    if (value.value === undefined) throw new CelError('optional.none() dereference')
    return value.value
  },
}

function isZero(value: CelValue): boolean {
  if (value === null || value === '' || value === false) return true
  const number = numeric(value)
  if (number !== undefined) return Number(number) === 0
  if (isList(value) || value instanceof Uint8Array) return value.length === 0
  return isMap(value) && value.size === 0
}

const patterns: CelFunctions = {
  matches: ([text, pattern]) => {
    if (typeof text !== 'string' || typeof pattern !== 'string') throw noOverload()
    return regular(pattern).test(text)
  },
  find: ([text, pattern]) => regular(pattern as string).exec(String(text as string))?.[0] ?? '',
  findAll: ([text, pattern, limit]) => {
    const all = [...(text as string).matchAll(regular(pattern as string, 'g'))].map(([found]) => found)
    return limit === undefined || Number(limit as bigint) < 0 ? all : all.slice(0, Number(limit as bigint))
  },
}

function regular(pattern: string, flags: string = ''): RegExp {
  try {
    return compilePattern(pattern, flags)
  } catch (error) {
    throw new CelError((error as Error).message)
  }
}

/** The functions and operators of the language itself and of its extensions that Kubernetes turns on. */
export const standardFunctions: CelFunctions = {
  '_+_': add,
  '_-_': subtract,
  '_*_': arithmetic({ int: (a, b) => a * b, double: (a, b) => a * b }),
  '_/_': arithmetic({ int: (a, b) => a / divisor(b, 'division by zero'), double: (a, b) => a / b }),
  '_%_': arithmetic({ int: (a, b) => a % divisor(b, 'modulus by zero'), double: undefined }),
  '_==_': ([a, b]) => isEqual(a as CelValue, b as CelValue),
  '_!=_': ([a, b]) => !isEqual(a as CelValue, b as CelValue),
  '_<_': ordered((order) => order < 0),
  '_<=_': ordered((order) => order <= 0),
  '_>_': ordered((order) => order > 0),
  '_>=_': ordered((order) => order >= 0),
  _in_: contains,
  '!_': ([value]) => {
    if (typeof value !== 'boolean') throw noOverload()
    return !value
  },
  '-_': ([value]) => {
    if (typeof value === 'bigint') return int(-value)
    if (typeof value === 'number') return -value
    if (value instanceof CelDuration) return new CelDuration(-value.nanos)
    throw noOverload()
  },
  size: ([value]) => sizeOf(value as CelValue),
  ...conversions,
  ...optionals,
  ...patterns,
  ...stringFunctions,
  ...listFunctions,
  ...timeFunctions,
}
