import type { KubernetesObject } from '#api/meta/resource.ts'
import type { WireWatchEvent } from '#api/meta/exchange.ts'
import type { StoredObject } from './stored-object.ts'
import type { IndexedField } from './field-index.ts'
import type { ObjectCodec } from './object-codec.ts'

/**
 * One change of one object, shared by every watcher. What a watcher sees depends on its selector: an object that
 * starts to match is ADDED to it, one that stops matching is DELETED, each made once and shared.
 */
export class CacheEvent {
  readonly key: string
  readonly revision: number
  readonly #current: StoredObject | undefined
  readonly #previous: StoredObject | undefined
  readonly #codec: ObjectCodec
  #added: WireWatchEvent | undefined
  #modified: WireWatchEvent | undefined
  #deleted: WireWatchEvent | undefined

  constructor(
    revision: number,
    current: StoredObject | undefined,
    previous: StoredObject | undefined,
    codec: ObjectCodec,
  ) {
    this.key = (current ?? previous)?.key ?? ''
    this.revision = revision
    this.#current = current
    this.#previous = previous
    this.#codec = codec
  }

  /** The values that a field has or had: one, or two where the change is from one to the other. */
  valuesOf({ valueOf }: IndexedField): readonly string[] {
    const now = this.#current && valueOf(this.#current.object)
    const before = this.#previous && valueOf(this.#previous.object)
    if (now === undefined) return before === undefined ? [] : [before]
    return before === undefined || before === now ? [now] : [now, before]
  }

  /** The event as seen through a selector, or undefined if the selector sees nothing of it. */
  through(matches: (object: KubernetesObject) => boolean): WireWatchEvent | undefined {
    const isIn = this.#current !== undefined && matches(this.#current.object)
    const wasIn = this.#previous !== undefined && matches(this.#previous.object)
    if (this.#current !== undefined && isIn) {
      if (!wasIn) return (this.#added ??= { type: 'ADDED', object: this.#current.object })
      return (this.#modified ??= { type: 'MODIFIED', object: this.#current.object })
    }
    if (this.#previous === undefined || !wasIn) return undefined
    const last = this.#previous.object
    return (this.#deleted ??= { type: 'DELETED', object: this.#codec.atRevision(last, this.revision) })
  }
}
