import type { KubernetesObject } from '#api/meta/resource.ts'
import type { StoredObject } from './stored-object.ts'

/** A field by which many readers each want one value, such as the node of a pod. */
export interface IndexedField {
  /** As field selectors name it. */
  readonly name: string
  readonly valueOf: (object: KubernetesObject) => string
}

/** The name: whoever waits for one object follows it alone. Keys end with it, so that it needs no index. */
export const nameOfObject: IndexedField = { name: 'metadata.name', valueOf: ({ metadata }) => metadata.name }

/** The objects of one cache under the value of a field. */
export class FieldIndex {
  readonly #valueOf: IndexedField['valueOf']
  readonly #byValue = new Map<string, Map<string, StoredObject>>()

  constructor({ valueOf }: IndexedField) {
    this.#valueOf = valueOf
  }

  get(value: string): Iterable<StoredObject> {
    return this.#byValue.get(value)?.values() ?? []
  }

  replace(previous: StoredObject | undefined, current: StoredObject | undefined): void {
    const before = previous && this.#valueOf(previous.object)
    const now = current && this.#valueOf(current.object)
    if (previous !== undefined && before !== undefined && before !== now) this.#drop(before, previous.key)
    if (current !== undefined && now !== undefined) this.#groupOf(now).set(current.key, current)
  }

  #groupOf(value: string): Map<string, StoredObject> {
    const known = this.#byValue.get(value)
    if (known !== undefined) return known
    const group = new Map<string, StoredObject>()
    this.#byValue.set(value, group)
    return group
  }

  #drop(value: string, key: string): void {
    const group = this.#byValue.get(value)
    group?.delete(key)
    if (group?.size === 0) this.#byValue.delete(value)
  }
}
