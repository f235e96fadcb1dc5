import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'

/**
 * Turns objects into the bytes a store keeps and back, each once per revision.
 *
 * A stored value is the object's JSON without `metadata.resourceVersion`, which is the store's revision and unknown
 * before the commit. Its keys begin `kind`, `apiVersion`, `metadata`, so that the JSON for clients is the stored bytes
 * with one member spliced in: nothing is ever stringified twice.
 */
export class ObjectCodec {
  /**
   * Objects just written, by the very buffer handed to the store: neither the writer nor the cache need parse what this
   * process wrote. Each takes it once; an entry whose commit failed goes with its buffer.
   */
  readonly #written = new WeakMap<Uint8Array, { readonly draft: Draft<KubernetesObject>; object?: KubernetesObject }>()
  /** The stored bytes of objects whose bytes begin with `openingOf` them. */
  readonly #stored = new WeakMap<object, Uint8Array>()
  /** What stored bytes begin with, by apiVersion and kind. */
  readonly #openings = new Map<string, Map<string, string>>()
  readonly #freeze: (object: KubernetesObject) => KubernetesObject

  /** `freeze` is given each object that is to be shared, and answers it: by default frozen all the way down. */
  constructor(freeze: (object: KubernetesObject) => KubernetesObject = deepFreeze) {
    this.#freeze = freeze
  }

  /** The bytes to store. `draft` now belongs to the codec: it becomes the frozen object of that revision. */
  encode(draft: Draft<KubernetesObject>): Uint8Array {
    const { kind, apiVersion, metadata, ...rest } = draft
    const { resourceVersion: _unknownYet, ...kept } = metadata
    const text = JSON.stringify({ kind, apiVersion, metadata: kept, ...rest })
    // Memory of their own: in a pool, one object that stays would keep all that was once beside it.
    const length = Buffer.byteLength(text)
    const bytes = Buffer.allocUnsafeSlow(length)
    // Text of one byte for each character is copied, which takes a third of the time.
    bytes.write(text, length === text.length ? 'latin1' : 'utf8')
    this.#written.set(bytes, { draft })
    return bytes
  }

  /** The frozen object of stored bytes at a revision. */
  decode(bytes: Uint8Array, revision: number): KubernetesObject {
    return (
      this.takeWritten(bytes, revision) ?? this.#finish(JSON.parse(textOf(bytes)) as WritableObject, bytes, revision)
    )
  }

  /** The same without parsing: undefined if another process wrote the bytes, or an earlier run. */
  takeWritten(bytes: Uint8Array, revision: number): KubernetesObject | undefined {
    const written = this.#written.get(bytes)
    if (written === undefined) return undefined
    if (written.object === undefined) return (written.object = this.#finish(written.draft, bytes, revision))
    this.#written.delete(bytes)
    return written.object
  }

  /** A revision of the object that only differs in its resourceVersion: the last state of a deleted object. */
  atRevision(object: KubernetesObject, revision: number): KubernetesObject {
    const metadata = Object.freeze({ ...object.metadata, resourceVersion: String(revision) })
    const moved = Object.freeze({ ...object, metadata })
    const bytes = this.#stored.get(object)
    return bytes === undefined ? moved : this.#remember(moved, bytes)
  }

  /** The object's JSON as two parts to be joined, or undefined for an object that is not from the store. */
  storedForm(object: object): StoredForm | undefined {
    const bytes = this.#stored.get(object)
    if (bytes === undefined) return undefined
    const opening = this.#openingOf(object as KubernetesObject)
    return { head: opening + versionOf(object as KubernetesObject), bytes, from: opening.length }
  }

  /** The same without `kind` and `apiVersion`, as items of a list are written. */
  storedItem(object: object): StoredForm | undefined {
    const bytes = this.#stored.get(object)
    if (bytes === undefined) return undefined
    const from = this.#openingOf(object as KubernetesObject).length
    return { head: `{"metadata":{${versionOf(object as KubernetesObject)}`, bytes, from }
  }

  #finish(object: WritableObject, bytes: Uint8Array, revision: number): KubernetesObject {
    object.metadata.resourceVersion = String(revision)
    return this.#remember(this.#freeze(object as KubernetesObject), bytes)
  }

  #remember(object: KubernetesObject, bytes: Uint8Array): KubernetesObject {
    const opening = this.#openingOf(object)
    // Bytes of another writer may be laid out differently; such an object is stringified when it is sent.
    if (!startsWith(bytes, opening) || bytes[opening.length] === closingBrace) return object
    this.#stored.set(object, bytes)
    return object
  }

  #openingOf({ kind, apiVersion }: KubernetesObject): string {
    const openings = this.#openings.get(apiVersion) ?? new Map<string, string>()
    this.#openings.set(apiVersion, openings)
    const known = openings.get(kind)
    if (known !== undefined) return known
    const opening = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`
    openings.set(kind, opening)
    return opening
  }
}

type WritableObject = Draft<KubernetesObject>

/** An object's JSON in two parts: `head`, plain ASCII, then `bytes` from `from` on. */
export interface StoredForm {
  readonly head: string
  readonly bytes: Uint8Array
  readonly from: number
}

function versionOf({ metadata }: KubernetesObject): string {
  return `"resourceVersion":"${metadata.resourceVersion}",`
}

const closingBrace = 0x7d

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length <= text.length) return false
  for (let index = 0; index < text.length; index++) if (bytes[index] !== text.charCodeAt(index)) return false
  return true
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
