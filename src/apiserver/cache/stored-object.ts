import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ObjectCodec } from './object-codec.ts'

/**
 * One revision of one object: the bytes the store holds, and the object they stand for. The object is decoded at its
 * first use, so that starting on a full store costs no parsing, and shared by everybody afterwards.
 */
export class StoredObject {
  readonly key: string
  readonly revision: number
  readonly bytes: Uint8Array
  readonly #codec: ObjectCodec
  #object: KubernetesObject | undefined

  constructor(key: string, revision: number, bytes: Uint8Array, codec: ObjectCodec, object?: KubernetesObject) {
    this.key = key
    this.revision = revision
    this.bytes = bytes
    this.#codec = codec
    this.#object = object
  }

  /** Deep-frozen, with `metadata.resourceVersion` set to the revision. */
  get object(): KubernetesObject {
    return (this.#object ??= this.#codec.decode(this.bytes, this.revision))
  }
}
