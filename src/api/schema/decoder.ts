import type { FieldNode, ListNode, MapNode, ObjectNode, RawNode, SchemaNode } from './node.ts'
import { cloneJson, isPlainObject, setOwn } from './own-member.ts'
import { ScalarMismatch, ScalarRefusal, scalarReaders } from './scalars.ts'

/**
 * The hot walk over a decoded JSON value: checks types, writes canonical scalars, drops nulls, unknown fields, empty
 * optional lists and maps, and zeros that say nothing. It only notes that something is unknown; `diagnose.ts` finds out what and where.
 */
export interface DecodeState {
  /** False: the value belongs to us and is changed in place. True: it is somebody else's and stays as it is. */
  readonly copy: boolean
  /** How many members of objects were seen, to tell whether the text had more (duplicates). */
  memberCount: number
  unknownCount: number
  depth: number
  /** Keep zeros that say nothing: a configuration that names a field means it. */
  readonly keepZeros: boolean
}

export type Decoder = (value: unknown, state: DecodeState) => unknown

/** What a decoder answers for a value that is not to be kept. */
const dropped: unique symbol = Symbol('dropped')

/** Deeper values are refused: recursion must end before the stack does. */
const maxDepth = 1000

const decoders = new WeakMap<SchemaNode, Decoder>()

/** The compiled decoder of a node, made on first use. */
export function decoderOf(node: SchemaNode): Decoder {
  const known = decoders.get(node)
  if (known) return known
  const decoder = compile(node)
  decoders.set(node, decoder)
  return decoder
}

function compile(node: SchemaNode): Decoder {
  if (node.custom !== undefined) return customDecoder(node)
  switch (node.shape) {
    case 'scalar':
      return scalarReaders[node.kind]
    case 'object':
      return objectDecoder(node)
    case 'list':
      return listDecoder(node)
    case 'map':
      return mapDecoder(node)
    case 'raw':
      return rawDecoder(node)
  }
}

interface FieldDecoder {
  readonly decode: Decoder
  readonly dropsEmpty: boolean
  readonly dropsZero: boolean
}

function fieldDecoder(field: FieldNode): FieldDecoder {
  const isCollection = field.node.shape === 'list' || field.node.shape === 'map'
  return {
    decode: decoderOf(field.node),
    dropsEmpty: isCollection && !field.alwaysWritten,
    dropsZero: field.zeroMeansAbsent,
  }
}

function objectDecoder(node: ObjectNode): Decoder {
  let fields: Map<string, FieldDecoder> | undefined
  return (value, state) => {
    const source = objectOf(value)
    fields ??= new Map([...node.fields].map(([name, field]) => [name, fieldDecoder(field)]))
    enter(state)
    const target: Record<string, unknown> = state.copy ? {} : source
    let leavesOut = false
    for (const key in source) {
      const next = decodeField(fields.get(key), source[key], state)
      if (next === dropped) leavesOut = true
      else if (state.copy || next !== source[key]) target[key] = next
      if (next === dropped && !state.copy) markDropped(source, key)
    }
    state.depth--
    return leavesOut && !state.copy ? withoutDropped(source) : target
  }
}

/** `dropped` stands in the object until the walk over it is done: deleting members would make it slow for good. */
function markDropped(source: Record<string, unknown>, key: string): void {
  setOwn(source, key, dropped)
}

function withoutDropped(source: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const key in source) if (source[key] !== dropped && key !== '__proto__') kept[key] = source[key]
  return kept
}

function decodeField(field: FieldDecoder | undefined, value: unknown, state: DecodeState): unknown {
  state.memberCount++
  if (field === undefined) {
    state.unknownCount++
    readRaw(value, state)
    return dropped
  }
  if (value === null || value === undefined) return dropped
  const next = field.decode(value, state)
  if (field.dropsZero && !state.keepZeros && (next === '' || next === 0 || next === false)) return dropped
  return field.dropsEmpty && isEmpty(next) ? dropped : next
}

function isEmpty(collection: unknown): boolean {
  if (Array.isArray(collection)) return collection.length === 0
  for (const _ in collection as object) return false
  return true
}

function listDecoder(node: ListNode): Decoder {
  const decodeItem = decoderOf(node.item)
  return (value, state) => {
    if (!Array.isArray(value)) throw new ScalarMismatch()
    enter(state)
    const target: unknown[] = state.copy ? Array.from({ length: value.length }) : value
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      const next = item === null || item === undefined ? zeroOf(node.item) : decodeItem(item, state)
      if (next !== item || state.copy) target[index] = next
    }
    state.depth--
    return target
  }
}

function mapDecoder(node: MapNode): Decoder {
  const decodeMember = decoderOf(node.value)
  return (value, state) => {
    const source = objectOf(value)
    enter(state)
    const target: Record<string, unknown> = state.copy ? {} : source
    for (const key in source) {
      state.memberCount++
      const member = source[key]
      const next = member === null || member === undefined ? zeroOf(node.value) : decodeMember(member, state)
      if (next !== member || state.copy) setOwn(target, key, next)
    }
    state.depth--
    return target
  }
}

/** What null inside a list or map stands for. */
function zeroOf(node: SchemaNode): unknown {
  if (node.shape === 'list') return []
  if (node.shape === 'object' || node.shape === 'map') return {}
  if (node.shape === 'raw') return null
  if (node.kind === 'boolean') return false
  if (node.kind === 'quantity') return '0'
  return node.kind === 'int32' || node.kind === 'int64' || node.kind === 'double' || node.kind === 'intOrString'
    ? 0
    : ''
}

/** Values of custom resources: whatever does not have the shape that the schema wants is left for validation to refuse. */
function customDecoder(node: SchemaNode): Decoder {
  if (node.shape === 'object') return customObjectDecoder(node)
  if (node.shape === 'map') return customMapDecoder(node)
  if (node.shape !== 'list') return keepDecoder
  const decodeItem = decoderOf(node.item)
  return (value, state) => {
    if (!Array.isArray(value)) return keepDecoder(value, state)
    enter(state)
    const items = value.map((item: unknown) => (item === null ? null : decodeItem(item, state)))
    state.depth--
    return items
  }
}

const keepDecoder: Decoder = (value, state) => {
  readRaw(value, state)
  return state.copy ? cloneJson(value) : value
}

function customObjectDecoder(node: ObjectNode): Decoder {
  const keepsUnknown = node.custom?.preserves === true
  let fields: Map<string, { readonly decode: Decoder; readonly nullable: boolean }> | undefined
  return (value, state) => {
    if (!isPlainObject(value)) return keepDecoder(value, state)
    fields ??= new Map(
      [...node.fields].map(([name, field]) => [
        name,
        { decode: decoderOf(field.node), nullable: field.node.custom?.nullable === true },
      ]),
    )
    enter(state)
    const target: Record<string, unknown> = {}
    for (const key in value) {
      const field = fields.get(key)
      const member = value[key]
      state.memberCount++
      if (field !== undefined && member !== null) setOwn(target, key, field.decode(member, state))
      else if (field === undefined && keepsUnknown) setOwn(target, key, keepDecoder(member, state))
      else if (field === undefined) {
        state.unknownCount++
        readRaw(member, state)
      } else if (field.nullable) target[key] = null
    }
    state.depth--
    return target
  }
}

function customMapDecoder(node: MapNode): Decoder {
  const decodeMember = decoderOf(node.value)
  const keepsNull = node.value.custom?.nullable === true
  return (value, state) => {
    if (!isPlainObject(value)) return keepDecoder(value, state)
    enter(state)
    const target: Record<string, unknown> = {}
    for (const key in value) {
      state.memberCount++
      const member = value[key]
      if (member !== null) setOwn(target, key, decodeMember(member, state))
      else if (keepsNull) setOwn(target, key, null)
    }
    state.depth--
    return target
  }
}

function rawDecoder(node: RawNode): Decoder {
  return (value, state) => {
    if (node.objectOnly) objectOf(value)
    readRaw(value, state)
    return state.copy ? cloneJson(value) : value
  }
}

/** Counts members and bounds the depth of a value that the schema says nothing about. */
function readRaw(value: unknown, state: DecodeState): void {
  if (typeof value !== 'object' || value === null) return
  enter(state)
  for (const key in value) {
    if (!Array.isArray(value)) state.memberCount++
    readRaw((value as Record<string, unknown>)[key], state)
  }
  state.depth--
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ScalarMismatch()
  return value as Record<string, unknown>
}

function enter(state: DecodeState): void {
  if (++state.depth > maxDepth) throw new ScalarRefusal('json: exceeded max depth')
}
