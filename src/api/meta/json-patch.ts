import { cloneJson, isPlainObject, setOwn } from '../schema/own-member.ts'
import { isSameJson } from './merge-patch.ts'
import { badRequest, StatusError } from './status.ts'

/** JSON Patch (RFC 6902) as the API server applies it: its limits, its leniency, its words for what does not apply. */
export interface JsonPatchOperation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** An operation that does not apply to the document. */
export class JsonPatchError extends Error {}

const maxOperations = 10_000
/** Copies may add this much text in all: a patch of copies of copies would grow without bound. */
const maxCopiedBytes = 3 * 1024 * 1024

/** Checks that a decoded body is a list of operations. Throws 400, or 413 for too many. */
export function readJsonPatch(body: unknown): readonly JsonPatchOperation[] {
  const operations = body ?? []
  if (!Array.isArray(operations)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${nameOf(body)} into Go value of type []interface {}`,
    )
  }
  const odd = operations.findIndex((operation) => operation !== null && !isPlainObject(operation))
  if (odd >= 0) {
    const found = nameOf(operations[odd])
    throw badRequest(`json: cannot unmarshal ${found} into Go value of type jsonpatch.Operation`)
  }
  if (operations.length > maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`
    throw new StatusError('RequestEntityTooLarge', `Request entity too large: ${message}`)
  }
  return operations.map((operation: unknown) => (operation ?? {}) as JsonPatchOperation)
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Applies all operations or none. The target stays as it is. Throws a `JsonPatchError` for the first that does not apply. */
export function applyJsonPatch(target: unknown, operations: readonly JsonPatchOperation[]): unknown {
  const patching = new Patching(cloneJson(target))
  for (const operation of operations) patching.apply(operation)
  return patching.document
}

type Container = Record<string, unknown> | unknown[]

class Patching {
  document: unknown
  #copiedBytes = 0

  constructor(document: unknown) {
    this.document = document
  }

  apply(operation: JsonPatchOperation): void {
    const { op, value = null } = operation
    switch (op) {
      case 'add':
        return add(this.#place(pathOf(operation), 'add'), cloneJson(value))
      case 'remove':
        return remove(this.#place(pathOf(operation), 'remove'))
      case 'replace':
        return this.#replace(pathOf(operation), cloneJson(value))
      case 'move':
        return this.#move(fromOf(operation), pathOf(operation))
      case 'copy':
        return this.#copy(fromOf(operation), pathOf(operation))
      case 'test':
        return this.#test(pathOf(operation), value)
      default:
        throw new JsonPatchError(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
    }
  }

  /** A member that is not there is added. */
  #replace(path: string, value: unknown): void {
    if (path !== '') return set(this.#place(path, 'replace'), value)
    if (!isContainer(value)) throw new JsonPatchError('replace operation value must be object or array')
    this.document = value
  }

  #move(from: string, path: string): void {
    const source = this.#place(from, 'move')
    const value = read(source, 'move')
    remove(source)
    add(this.#place(path, 'move'), value)
  }

  #copy(from: string, path: string): void {
    const value = read(this.#place(from, 'copy'), 'copy') ?? null
    const place = this.#place(path, 'copy')
    this.#copiedBytes += value === null ? 0 : JSON.stringify(value).length
    if (this.#copiedBytes > maxCopiedBytes) {
      const limit = `exceeding the limit ${maxCopiedBytes}`
      throw new JsonPatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, ${limit}`,
      )
    }
    add(place, cloneJson(value))
  }

  /** What is not there equals null. */
  #test(path: string, wanted: unknown): void {
    const actual = path === '' ? this.document : read(this.#place(path, 'test'), 'test')
    if (!isSameJson(actual ?? null, wanted)) throw new JsonPatchError(`testing value ${path} failed: test failed`)
  }

  /** The container and the key a path ends in. What precedes the first slash of a path does not count. */
  #place(path: string, op: string): Place {
    const keys = path.split('/').slice(1).map(unescapeKey)
    const key = keys.pop()
    let container: unknown = this.document
    for (const step of keys) container = isContainer(container) ? read({ container, key: step, path }, op) : undefined
    if (key !== undefined && isContainer(container)) return { container, key, path }
    throw new JsonPatchError(`${op} operation does not apply: doc is missing path: "${path}": missing value`)
  }
}

interface Place {
  readonly container: Container
  readonly key: string
  readonly path: string
}

function add(place: Place, value: unknown): void {
  const { container, key } = place
  if (!Array.isArray(container)) setOwn(container, key, value)
  else if (key === '-') container.push(value)
  else container.splice(indexOf(place, container.length + 1, 'add'), 0, value)
}

function remove(place: Place): void {
  const { container, key, path } = place
  if (Array.isArray(container)) container.splice(indexOf(place, container.length, 'remove'), 1)
  else if (Object.hasOwn(container, key)) delete container[key]
  else
    throw new JsonPatchError(
      `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    )
}

function set(place: Place, value: unknown): void {
  const { container, key } = place
  if (Array.isArray(container)) container[indexOf(place, container.length, 'replace')] = value
  else setOwn(container, key, value)
}

/** A list must have the index; an object answers undefined for what it lacks. */
function read(place: Place, op: string): unknown {
  const { container, key } = place
  if (Array.isArray(container)) return container[indexOf(place, container.length, op)]
  return Object.hasOwn(container, key) ? container[key] : undefined
}

/** Indices may be signed and have leading zeros; negative ones count from the end. */
function indexOf({ key, path }: Place, size: number, op: string): number {
  const index = /^[+-]?\d{1,15}$/.test(key) ? Number(key) : Number.NaN
  if (Number.isNaN(index)) {
    throw new JsonPatchError(`error in ${op} for path: '${path}': value was not a proper array index: '${key}'`)
  }
  if (index < size && index >= -size) return index < 0 ? index + size : index
  throw new JsonPatchError(
    `error in ${op} for path: '${path}': Unable to access invalid index: ${index}: invalid index referenced`,
  )
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function unescapeKey(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

function pathOf({ op, path }: JsonPatchOperation): string {
  if (typeof path === 'string') return path
  throw new JsonPatchError(`${op} operation failed to decode path: operation missing path field: missing value`)
}

function fromOf({ op, from }: JsonPatchOperation): string {
  if (typeof from === 'string') return from
  throw new JsonPatchError(`${op} operation failed to decode from: operation, missing from field: missing value`)
}
