import { invalidValue } from './field-errors.ts'
import { inRange, portName, portNumber } from './names.ts'
import type { FieldError } from './status.ts'
import type { IntOrString } from '../types/meta.v1.ts'

/** Rules for numbers that many kinds share, in the words of the API server. Absent numbers are fine. */

export const maxInt32 = 2_147_483_647

export function nonNegative(value: number | undefined, path: string): FieldError[] {
  const wrong = value !== undefined && value < 0
  return wrong ? [invalidValue(path, value, 'must be greater than or equal to 0')] : []
}

export function positive(value: number | undefined, path: string): FieldError[] {
  const wrong = value !== undefined && value <= 0
  return wrong ? [invalidValue(path, value, 'must be greater than 0')] : []
}

export function within(value: number | undefined, low: number, high: number, path: string): FieldError[] {
  return value === undefined ? [] : inRange(value, low, high).map((message) => invalidValue(path, value, message))
}

export function validatePort(port: number, path: string): FieldError[] {
  return portNumber(port).map((message) => invalidValue(path, port, message))
}

/** A port by number, or by the name of a container port. */
export function validatePortOrName(port: IntOrString | undefined, path: string): FieldError[] {
  if (typeof port !== 'string') return validatePort(port ?? 0, path)
  return portName(port).map((message) => invalidValue(path, port, message))
}

/** A count or a percentage of pods; neither may be negative, and a percentage must be one. */
export function validateNonNegativeIntOrPercent(value: IntOrString | undefined, path: string): FieldError[] {
  if (value === undefined) return []
  if (typeof value === 'number') return nonNegative(value, path)
  if (/^[0-9]+%$/.test(value)) return []
  const rule = "a valid percent string must be a numeric string followed by an ending '%'"
  const example = "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
  return [invalidValue(path, value, `${rule} ${example}`)]
}

export function notAbove100Percent(value: IntOrString | undefined, path: string): FieldError[] {
  if (typeof value !== 'string') return []
  const percent = /^([0-9]+)%$/.exec(value)?.[1]
  const wrong = percent !== undefined && Number(percent) > 100
  return wrong ? [invalidValue(path, value, 'must not be greater than 100%')] : []
}
