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
  readonly #stored = new WeakMap<object, StoredForm>()

  /** The bytes to store. `draft` now belongs to the codec: it becomes the frozen object of that revision. */
  encode(draft: Draft<KubernetesObject>): Uint8Array {
    const { kind, apiVersion, metadata, ...rest } = draft
    const { resourceVersion: _unknownYet, ...kept } = metadata
    const bytes = Buffer.from(JSON.stringify({ kind, apiVersion, metadata: kept, ...rest }))
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
    const form = this.#stored.get(object)
    return form === undefined ? moved : this.#remember(moved, form.bytes)
  }

  /** The object's JSON as two parts to be joined, or undefined for an object that is not from the store. */
  storedForm(object: object): { readonly head: string; readonly tail: Uint8Array } | undefined {
    const form = this.#stored.get(object)
    return form === undefined ? undefined : { head: form.head, tail: form.bytes.subarray(form.splitAt) }
  }

  /** The same without `kind` and `apiVersion`, as items of a list are written. */
  storedItem(object: object): { readonly head: string; readonly tail: Uint8Array } | undefined {
    const form = this.#stored.get(object)
    return form === undefined ? undefined : { head: form.itemHead, tail: form.bytes.subarray(form.splitAt) }
  }

  #finish(object: WritableObject, bytes: Uint8Array, revision: number): KubernetesObject {
    object.metadata.resourceVersion = String(revision)
    return this.#remember(deepFreeze(object) as KubernetesObject, bytes)
  }

  #remember(object: KubernetesObject, bytes: Uint8Array): KubernetesObject {
    const identity = `{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)},`
    const opening = `${identity}"metadata":{`
    // Bytes of another writer may be laid out differently; such an object is stringified when it is sent.
    if (!startsWith(bytes, opening) || bytes[opening.length] === closingBrace) return object
    const version = `"resourceVersion":"${object.metadata.resourceVersion}",`
    this.#stored.set(object, {
      bytes,
      splitAt: opening.length,
      head: opening + version,
      itemHead: `{"metadata":{${version}`,
    })
    return object
  }
}

type WritableObject = Draft<KubernetesObject>

interface StoredForm {
  readonly bytes: Uint8Array
  readonly splitAt: number
  readonly head: string
  readonly itemHead: string
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
