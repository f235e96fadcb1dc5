import type { IntOrString } from '../types/meta.v1.ts'

/** The percentage a text such as `25%` names, or undefined if it is none. */
export function percentOf(value: IntOrString | undefined): number | undefined {
  return typeof value === 'string' && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined
}

/** A number as it is, a percentage as its share of `total`, rounded as told. Throws RangeError for other strings. */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === undefined)
    throw new RangeError(`invalid value for IntOrString: invalid type: string is not a percentage`)
  const share = (percent * total) / 100
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share)
}
