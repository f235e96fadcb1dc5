import { CelError } from '#lib/cel/cel-error.ts'
import type { CelFunction, CelFunctions } from '#lib/cel/cel-function.ts'
import { CelOpaque, type CelValue } from '#lib/cel/values.ts'
import { addQuantities, canonicalQuantity, compareQuantities, subtractQuantities } from '../meta/quantity.ts'

const type = 'kubernetes.Quantity'

function quantity(text: string): CelOpaque {
  return new CelOpaque(type, text, (other) => compareQuantities(text, other as string) === 0)
}

function textOf(value: CelValue | undefined): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof CelOpaque && value.type === type) return value.data as string
  throw new CelError('no such overload')
}

function receiver(value: CelValue | undefined): string {
  if (value instanceof CelOpaque && value.type === type) return value.data as string
  throw new CelError('no such overload')
}

function isQuantity(text: CelValue | undefined): boolean {
  try {
    return typeof text === 'string' && canonicalQuantity(text) !== ''
  } catch {
    return false
  }
}

const compares =
  (holds: (order: number) => boolean): CelFunction =>
  ([a, b]) =>
    holds(compareQuantities(receiver(a), textOf(b)))

/** `quantity("1Gi").isGreaterThan(quantity("500Mi"))`. */
export const quantityFunctions: CelFunctions = {
  quantity: ([text]) => {
    if (typeof text !== 'string' || !isQuantity(text)) {
      throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    }
    return quantity(canonicalQuantity(text))
  },
  isQuantity: ([text]) => isQuantity(text),
  isGreaterThan: compares((order) => order > 0),
  isLessThan: compares((order) => order < 0),
  compareTo: ([a, b]) => BigInt(Math.sign(compareQuantities(receiver(a), textOf(b)))),
  add: ([a, b]) => quantity(addQuantities(receiver(a), textOf(b))),
  sub: ([a, b]) => quantity(subtractQuantities(receiver(a), textOf(b))),
  sign: ([a]) => BigInt(Math.sign(compareQuantities(receiver(a), '0'))),
  isInteger: ([a]) => /^-?\d+$/.test(plain(receiver(a))),
  asInteger: ([a]) => {
    const text = plain(receiver(a))
    if (!/^-?\d+$/.test(text)) throw new CelError('cannot convert value to integer')
    return BigInt(text)
  },
  asApproximateFloat: ([a]) => Number(plain(receiver(a))),
}

const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** The amount as a plain number's text. */
function plain(text: string): string {
  const parts = /^([+-]?[\d.]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.exec(text)
  return String(parts === null ? Number(text) : Number(parts[1]) * (suffixes[parts[2] ?? ''] ?? 1))
}
