import { cloneJson, isPlainObject, setOwn } from '../schema/own-member.ts'
import { isSameJson } from './merge-patch.ts'
import { badRequest, StatusError } from './status.ts'

/** JSON Patch (RFC 6902) as the API server applies it, with its limits and its words for what does not apply. */
export interface JsonPatchOperation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const maxOperations = 10_000
/** Copies may add this much text in all: a patch of copies of copies would grow without bound. */
const maxCopiedBytes = 3 * 1024 * 1024

/** Checks that a decoded body is a list of operations. Throws 400, or 413 for too many. */
export function readJsonPatch(body: unknown): readonly JsonPatchOperation[] {
  if (!Array.isArray(body))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  if (body.length > maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${body.length}`
    throw new StatusError('RequestEntityTooLarge', `Request entity too large: ${message}`)
  }
  if (!body.every(isPlainObject))
    throw badRequest('error decoding patch: json: cannot unmarshal value into Go value of type jsonpatch.Operation')
  return body as unknown as readonly JsonPatchOperation[]
}

/** Applies all operations or none. The target stays as it is. Throws 422 for the first that does not apply. */
export function applyJsonPatch(target: unknown, operations: readonly JsonPatchOperation[]): unknown {
  const patching = new Patching(cloneJson(target))
  try {
    for (const operation of operations) patching.apply(operation)
  } catch (error) {
    throw error instanceof DoesNotApply ? rejected(error.message) : error
  }
  return patching.document
}

/** Carries the message to `rejected`. */
class DoesNotApply extends Error {}

function rejected(why: string): StatusError {
  const message = `the server rejected our request due to an error in our request`
  return new StatusError('Invalid', message, {
    details: { causes: [{ reason: 'UnexpectedServerResponse', message: why }] },
  })
}

type Container = Record<string, unknown> | unknown[]

class Patching {
  document: unknown
  #copiedBytes = 0

  constructor(document: unknown) {
    this.document = document
  }

  apply(operation: JsonPatchOperation): void {
    const { op, path } = operation
    if (typeof path !== 'string') throw new DoesNotApply(`${op} operation failed to decode path: missing value`)
    switch (op) {
      case 'add':
        return this.#add(path, cloneJson(valueOf(operation)), 'add')
      case 'remove':
        return this.#remove(path, 'remove')
      case 'replace':
        return this.#replace(path, cloneJson(valueOf(operation)))
      case 'move':
        return this.#move(fromOf(operation), path)
      case 'copy':
        return this.#copy(fromOf(operation), path)
      case 'test':
        return this.#test(path, operation.value ?? null)
      default:
        throw new DoesNotApply(`Unexpected kind: ${op}`)
    }
  }

  #add(path: string, value: unknown, op: string): void {
    const place = this.#place(path, op)
    if (!place) this.document = value
    else if (!Array.isArray(place.container)) setOwn(place.container, place.key, value)
    else place.container.splice(place.key === '-' ? place.container.length : indexOf(place, op, 'add'), 0, value)
  }

  #remove(path: string, op: string): void {
    const place = this.#existing(path, op)
    if (!place) throw new DoesNotApply(`${op} operation does not apply: the whole document cannot be removed`)
    if (Array.isArray(place.container)) place.container.splice(Number(place.key), 1)
    else delete place.container[place.key]
  }

  #replace(path: string, value: unknown): void {
    const place = this.#existing(path, 'replace')
    if (!place) this.document = value
    else if (Array.isArray(place.container)) place.container[Number(place.key)] = value
    else setOwn(place.container, place.key, value)
  }

  #move(from: string, path: string): void {
    if (path === from) return
    if (path.startsWith(`${from}/`))
      throw new DoesNotApply(`move operation does not apply: "${path}" lies inside "${from}"`)
    const value = this.#read(from, 'move')
    this.#remove(from, 'move')
    this.#add(path, value, 'move')
  }

  #copy(from: string, path: string): void {
    const value = this.#read(from, 'copy')
    this.#copiedBytes += JSON.stringify(value).length
    if (this.#copiedBytes > maxCopiedBytes) {
      const limit = `exceeding the limit ${maxCopiedBytes}`
      throw new DoesNotApply(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, ${limit}`,
      )
    }
    this.#add(path, cloneJson(value), 'copy')
  }

  #test(path: string, wanted: unknown): void {
    const place = this.#place(path, 'test')
    const actual = place ? memberOf(place) : this.document
    if (!isSameJson(actual ?? null, wanted)) throw new DoesNotApply(`testing value ${path} failed: test failed`)
  }

  #read(path: string, op: string): unknown {
    const place = this.#existing(path, op)
    return place ? memberOf(place) : this.document
  }

  /** The container and the key a path ends in; undefined for the whole document. */
  #place(path: string, op: string): Place | undefined {
    if (path === '') return undefined
    const keys = path.split('/').slice(1).map(unescapeKey)
    if (!path.startsWith('/')) throw missingPath(path, op)
    const key = keys.pop() as string
    let container: unknown = this.document
    for (const step of keys) {
      container = isContainer(container) ? memberOf({ container, key: step, path }) : undefined
    }
    if (!isContainer(container)) throw missingPath(path, op)
    return { container, key, path }
  }

  #existing(path: string, op: string): Place | undefined {
    const place = this.#place(path, op)
    if (!place) return undefined
    if (Array.isArray(place.container)) indexOf(place, op, 'access')
    else if (!Object.hasOwn(place.container, place.key)) {
      throw new DoesNotApply(`${op} operation does not apply: doc is missing key: ${path}: missing value`)
    }
    return place
  }
}

interface Place {
  readonly container: Container
  readonly key: string
  readonly path: string
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function memberOf({ container, key }: Place): unknown {
  if (Array.isArray(container)) return /^(0|[1-9]\d*)$/.test(key) ? container[Number(key)] : undefined
  return Object.hasOwn(container, key) ? container[key] : undefined
}

function indexOf({ container, key, path }: Place, op: string, use: 'add' | 'access'): number {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN
  const size = (container as unknown[]).length
  if (Number.isNaN(index))
    throw new DoesNotApply(`${op} operation does not apply: doc is missing key: ${path}: invalid array index`)
  if (index < (use === 'add' ? size + 1 : size)) return index
  throw new DoesNotApply(
    `${op} operation does not apply: doc is missing key: ${path}: Unable to access invalid index: ${index}: invalid index referenced`,
  )
}

function missingPath(path: string, op: string): DoesNotApply {
  return new DoesNotApply(`${op} operation does not apply: doc is missing path: "${path}": missing value`)
}

function unescapeKey(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

function valueOf(operation: JsonPatchOperation): unknown {
  if (operation.value === undefined) throw new DoesNotApply(`${operation.op} operation does not apply: missing value`)
  return operation.value
}

function fromOf(operation: JsonPatchOperation): string {
  if (typeof operation.from === 'string') return operation.from
  throw new DoesNotApply(`${operation.op} operation failed to decode from: missing value`)
}
