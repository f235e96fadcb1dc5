import { CelError } from './cel-error.ts'

/**
 * What expressions compute with. Integers are bigints, doubles numbers; lists are arrays. Maps come in forms that look
 * values up only when asked for, so that a large object costs nothing until a field of it is read.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly CelValue[]
  | CelMap
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelType
  | CelOptional
  | CelOpaque

export interface CelMap {
  readonly isMap: true
  get(key: CelValue): CelValue | undefined
  keys(): readonly CelValue[]
  readonly size: number
  /** The type's name where the map is a struct, such as `Object.spec`. */
  readonly structType?: string
}

export class CelUint {
  readonly value: bigint
  constructor(value: bigint) {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new CelError('unsigned integer overflow')
    this.value = value
  }
}

export class CelTimestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class CelDuration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class CelType {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export class CelOptional {
  /** Undefined: none. */
  readonly value: CelValue | undefined
  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

/** A value of a library's own type: quantities, addresses… `data` is the library's. */
export class CelOpaque {
  readonly type: string
  readonly data: unknown
  readonly equals: (other: unknown) => boolean
  constructor(type: string, data: unknown, equals: (other: unknown) => boolean) {
    this.type = type
    this.data = data
    this.equals = equals
  }
}

/** A map made by an expression: keys of any scalar type. */
export class EntryMap implements CelMap {
  readonly isMap = true
  readonly structType?: string
  readonly #entries = new Map<string | bigint | boolean, readonly [CelValue, CelValue]>()

  constructor(entries: Iterable<readonly [CelValue, CelValue]>, structType?: string) {
    for (const [key, value] of entries) this.#entries.set(keyOf(key), [key, value])
    if (structType !== undefined) this.structType = structType
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: CelValue): CelValue | undefined {
    return this.#entries.get(keyOf(key))?.[1]
  }

  keys(): readonly CelValue[] {
    return [...this.#entries.values()].map(([key]) => key)
  }
}

function keyOf(key: CelValue): string | bigint | boolean {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof CelUint) return key.value
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key)
  throw new CelError(`unsupported key type: ${typeOf(key)}`)
}

/** A JSON object as a map; members become values when they are read. */
export class JsonMap implements CelMap {
  readonly isMap = true
  readonly raw: Readonly<Record<string, unknown>>
  readonly #adapt: (value: unknown, key: string) => CelValue

  constructor(raw: Readonly<Record<string, unknown>>, adapt: (value: unknown, key: string) => CelValue = fromJson) {
    this.raw = raw
    this.#adapt = adapt
  }

  get size(): number {
    return Object.keys(this.raw).length
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.raw, key) || this.raw[key] === undefined) return undefined
    return this.#adapt(this.raw[key], key)
  }

  keys(): readonly string[] {
    return Object.keys(this.raw).filter((key) => this.raw[key] !== undefined)
  }
}

/** A JSON value without a schema: whole numbers are integers. */
export function fromJson(value: unknown): CelValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value === 'object' && value !== null) return new JsonMap(value as Record<string, unknown>)
  return (value ?? null) as CelValue
}

/** The JSON of a value. Throws `CelError` for a value that has none. */
export function toJson(value: CelValue): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof CelUint) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof JsonMap) return value.raw
  if (isList(value)) return value.map(toJson)
  if (isMap(value)) {
    const members = value.keys().map((key) => [keyText(key), toJson(value.get(key) ?? null)] as const)
    return Object.fromEntries(members)
  }
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  if (value instanceof CelDuration) return `${trimZeros(value.nanos)}s`
  throw new CelError(`unsupported conversion to JSON: ${typeOf(value)}`)
}

function keyText(key: CelValue): string {
  if (typeof key === 'string') return key
  return String(toJson(key) as number | boolean)
}

export function formatTimestamp({ nanos }: CelTimestamp): string {
  const seconds = floorDivide(nanos, 1_000_000_000n)
  const rest = nanos - seconds * 1_000_000_000n
  const whole = new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`
  return `${whole}${fraction}Z`
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

/** Nanoseconds as seconds, without zeros at the end: `1.5`. */
export function trimZeros(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  const fraction = (size % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${size / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`
}

export function isMap(value: CelValue): value is CelMap {
  return typeof value === 'object' && value !== null && 'isMap' in value
}

export function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value)
}

export function typeOf(value: CelValue): string {
  if (value === null) return 'null_type'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (isList(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelUint) return 'uint'
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp'
  if (value instanceof CelDuration) return 'google.protobuf.Duration'
  if (value instanceof CelType) return 'type'
  if (value instanceof CelOptional) return 'optional_type'
  if (value instanceof CelOpaque) return value.type
  return value.structType ?? 'map'
}

/** A number to compare across the numeric types, or undefined. */
export function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof CelUint ? value.value : undefined
}

/** CEL's equality: numbers by value, whatever their type; values of different types are not equal. */
export function isEqual(left: CelValue, right: CelValue): boolean {
  if (left === right) return true
  const a = numeric(left)
  const b = numeric(right)
  // The two kinds of numbers compare by mathematical value.
  if (a !== undefined && b !== undefined)
    return !(a < b) && !(a > b) && !Number.isNaN(Number(a)) && !Number.isNaN(Number(b))
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (isList(left)) {
    return (
      isList(right) &&
      left.length === right.length &&
      left.every((item, index) => isEqual(item, right[index] as CelValue))
    )
  }
  if (isMap(left)) return isMap(right) && isSameMap(left, right)
  if (left instanceof CelTimestamp) return right instanceof CelTimestamp && left.nanos === right.nanos
  if (left instanceof CelDuration) return right instanceof CelDuration && left.nanos === right.nanos
  if (left instanceof CelType) return right instanceof CelType && left.name === right.name
  if (left instanceof Uint8Array) return right instanceof Uint8Array && Buffer.compare(left, right) === 0
  if (left instanceof CelOpaque)
    return right instanceof CelOpaque && right.type === left.type && left.equals(right.data)
  if (left instanceof CelOptional && right instanceof CelOptional) {
    if (left.value === undefined || right.value === undefined) return left.value === right.value
    return isEqual(left.value, right.value)
  }
  return false
}

function isSameMap(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size) return false
  return left.keys().every((key) => {
    const other = right.get(key)
    return other !== undefined && isEqual(left.get(key) as CelValue, other)
  })
}
