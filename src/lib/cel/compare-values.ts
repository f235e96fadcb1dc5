import { CelError } from './cel-error.ts'
import { CelDuration, CelTimestamp, isEqual, numeric, type CelValue } from './values.ts'

/** The order of two values of one kind: below, at or above zero. Throws where there is none. */
export function compareValues(a: CelValue, b: CelValue): number {
  const x = numeric(a)
  const y = numeric(b)
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : isEqual(a, b) ? 0 : Number.NaN
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return a.nanos < b.nanos ? -1 : Number(a.nanos > b.nanos)
  if (a instanceof CelDuration && b instanceof CelDuration) return a.nanos < b.nanos ? -1 : Number(a.nanos > b.nanos)
  throw new CelError('no such overload')
}
