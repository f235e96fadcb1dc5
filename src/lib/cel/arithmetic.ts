import { CelError } from './cel-error.ts'
import type { CelFunction } from './cel-function.ts'
import { CelDuration, CelTimestamp, CelUint, isList, type CelValue } from './values.ts'

/** Refuses what does not fit 64 bits. */
export function int(value: bigint): bigint {
  if (value > 2n ** 63n - 1n || value < -(2n ** 63n)) throw new CelError('integer overflow')
  return value
}

interface Arithmetic {
  readonly int: (a: bigint, b: bigint) => bigint
  readonly double: ((a: number, b: number) => number) | undefined
}

export function arithmetic({ int: onInts, double }: Arithmetic): CelFunction {
  return ([a, b]) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return int(onInts(a, b))
    if (typeof a === 'number' && typeof b === 'number' && double) return double(a, b)
    if (a instanceof CelUint && b instanceof CelUint) return new CelUint(onInts(a.value, b.value))
    throw new CelError('no such overload')
  }
}

export const subtractNumbers = arithmetic({ int: (a, b) => a - b, double: (a, b) => a - b })
const addNumbers = arithmetic({ int: (a, b) => a + b, double: (a, b) => a + b })

/** `+` of numbers, texts, lists, times. */
export const add: CelFunction = (args) => {
  const [a, b] = args as [CelValue, CelValue]
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (isList(a) && isList(b)) return [...a, ...b]
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.concat([a, b])
  if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(int(a.nanos + b.nanos))
  if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.nanos + b.nanos)
  if (a instanceof CelDuration && b instanceof CelTimestamp) return new CelTimestamp(a.nanos + b.nanos)
  return addNumbers(args)
}
