import { canonicalQuantity } from '../meta/quantity.ts'
import { canonicalMicroTime, canonicalTime } from '../meta/time.ts'
import type { ScalarKind } from './node.ts'

/** A scalar has the wrong JSON type; the walk that knows where it stands makes the message. */
export class ScalarMismatch extends Error {
  constructor() {
    super('scalar of the wrong type')
    this.name = 'ScalarMismatch'
  }
}

/** A scalar's own reader refuses it; the message is sent as it is. */
export class ScalarRefusal extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ScalarRefusal'
  }
}

const maxInt32 = 2 ** 31 - 1
/** Doubles hold no greater exact integers than 2⁵³; those of the API stay well below. */
const maxInt64 = 2 ** 63

function ofType<T>(type: 'string' | 'boolean' | 'number', value: unknown): T {
  if (typeof value !== type) throw new ScalarMismatch()
  return value as T
}

function integer(value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value > max || value < -max - 1)
    throw new ScalarMismatch()
  return value
}

function refusing<T>(read: (input: T) => string, input: T): string {
  try {
    return read(input)
  } catch (error) {
    throw new ScalarRefusal((error as Error).message)
  }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function canonicalBytes(text: string): string {
  const compact = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text
  if (!base64.test(compact)) throw new ScalarRefusal(`illegal base64 data at input byte ${illegalPosition(compact)}`)
  return compact.endsWith('=') ? Buffer.from(compact, 'base64').toString('base64') : compact
}

function illegalPosition(text: string): number {
  const position = text.search(/[^A-Za-z0-9+/]/)
  if (position < 0) return text.length
  return text[position] === '=' && position % 4 > 1 && position === text.length - 1 ? text.length : position
}

function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Types with readers of their own name neither field nor struct in their complaints. */
function unplaced(value: unknown, goType: string): ScalarRefusal {
  return new ScalarRefusal(`json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${goType}`)
}

/** Reads a scalar into its canonical form. Throws `ScalarMismatch` or `ScalarRefusal`. The value is not null. */
export const scalarReaders: Readonly<Record<ScalarKind, (value: unknown) => string | number | boolean>> = {
  string: (value) => ofType<string>('string', value),
  boolean: (value) => ofType<boolean>('boolean', value),
  int32: (value) => integer(value, maxInt32),
  int64: (value) => integer(value, maxInt64),
  double: (value) => ofType<number>('number', value),
  bytes: (value) => canonicalBytes(ofType<string>('string', value)),
  quantity(value) {
    if (typeof value !== 'string' && typeof value !== 'number') {
      return refusing(canonicalQuantity, JSON.stringify(value))
    }
    return refusing(canonicalQuantity, typeof value === 'string' ? value.trim() : value)
  },
  time(value) {
    if (typeof value !== 'string') throw unplaced(value, 'string')
    return refusing(canonicalTime, value)
  },
  microTime(value) {
    if (typeof value !== 'string') throw unplaced(value, 'string')
    return refusing(canonicalMicroTime, value)
  },
  intOrString(value) {
    if (typeof value === 'string') return value
    if (typeof value !== 'number') throw unplaced(value, 'int32')
    if (Number.isInteger(value) && value <= maxInt32 && value >= -maxInt32 - 1) return value
    throw new ScalarRefusal(`json: cannot unmarshal number ${value} into Go value of type int32`)
  },
}
