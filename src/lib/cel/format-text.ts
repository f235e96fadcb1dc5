import { CelError } from './cel-error.ts'
import {
  CelDuration,
  CelTimestamp,
  CelType,
  CelUint,
  formatTimestamp,
  isList,
  isMap,
  numeric,
  trimZeros,
  type CelValue,
} from './values.ts'

/** `"%s has %d".format(["x", 1])`. Throws `CelError` for a clause that its argument does not fit. */
export function formatText(pattern: string, args: readonly CelValue[]): string {
  let next = 0
  const text = pattern.replace(
    /%(?:(%)|(?:\.(\d+))?([sdfexXob])|[\s\S]?)/g,
    (clause, percent?: string, digits?: string, verb?: string) => {
      if (percent !== undefined) return '%'
      if (verb === undefined)
        throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${clause.slice(1)}"`)
      const value = args[next++]
      if (value === undefined) throw new CelError(`index ${next - 1} out of range`)
      return formatOne(verb, value, digits === undefined ? 6 : Number(digits))
    },
  )
  return text
}

function formatOne(verb: string, value: CelValue, digits: number): string {
  const number = numeric(value)
  switch (verb) {
    case 's':
      return shown(value)
    case 'd':
      if (typeof value === 'bigint' || value instanceof CelUint) return String(number)
      break
    case 'f':
      if (number !== undefined) return Number(number).toFixed(digits)
      break
    case 'e':
      if (number !== undefined)
        return Number(number)
          .toExponential(digits)
          .replace(/e([+-])(\d)$/, 'e$10$2')
      break
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      if (typeof number === 'bigint') return number.toString(2)
      break
    case 'o':
      if (typeof number === 'bigint') return number.toString(8)
      break
    default: {
      const hex = typeof number === 'bigint' ? number.toString(16) : hexOf(value)
      if (hex !== undefined) return verb === 'X' ? hex.toUpperCase() : hex
    }
  }
  throw new CelError(`error during formatting: %${verb} clause does not fit its argument`)
}

function hexOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : undefined
}

function shown(value: CelValue): string {
  if (typeof value === 'string') return value
  if (value === null) return 'null'
  const number = numeric(value)
  if (number !== undefined) return String(number)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (isList(value)) return `[${value.map(shown).join(', ')}]`
  if (isMap(value)) {
    const pairs = value.keys().map((key) => `${shown(key)}: ${shown(value.get(key) as CelValue)}`)
    return `{${pairs.sort().join(', ')}}`
  }
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  if (value instanceof CelDuration) return `${trimZeros(value.nanos)}s`
  if (value instanceof CelType) return value.name
  throw new CelError(
    'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  )
}
