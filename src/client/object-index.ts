import { keyOf, type KubernetesObject } from '#api/meta/resource.ts'

const none: readonly never[] = Object.freeze([])

/**
 * The objects of one informer by key, by namespace and by any number of named indexes, all held by reference.
 * `put` and `remove` keep the indexes true; each costs the number of index values of the object, not of all objects.
 */
export class ObjectIndex<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>()
  readonly #byNamespace = new Grouping<T>((object) => [object.metadata.namespace ?? ''])
  readonly #named = new Map<string, Grouping<T>>()
  /** All of them, as they are gone through at each change. */
  readonly #groupings = [this.#byNamespace]

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  list(namespace?: string): readonly T[] {
    return namespace === undefined || namespace === '' ? [...this.#objects.values()] : this.#byNamespace.get(namespace)
  }

  /** The object that had the key before. */
  put(object: T): T | undefined {
    const key = keyOf(object)
    const previous = this.#objects.get(key)
    this.#objects.set(key, object)
    for (const grouping of this.#groupings) grouping.replace(key, previous, object)
    return previous
  }

  remove(key: string): T | undefined {
    const previous = this.#objects.get(key)
    if (previous === undefined) return undefined
    this.#objects.delete(key)
    for (const grouping of this.#groupings) grouping.replace(key, previous, undefined)
    return previous
  }

  /** Defines an index, or finds the one of that name. */
  index(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[] {
    const known = this.#named.get(name)
    if (known !== undefined) return (value) => known.get(value)
    const grouping = new Grouping(keysOf)
    for (const [key, object] of this.#objects) grouping.replace(key, undefined, object)
    this.#named.set(name, grouping)
    this.#groupings.push(grouping)
    return (value) => grouping.get(value)
  }
}

/** Objects under the values that a function gives each of them. */
class Grouping<T> {
  readonly #valuesOf: (object: T) => readonly string[]
  readonly #groups = new Map<string, Map<string, T>>()

  constructor(valuesOf: (object: T) => readonly string[]) {
    this.#valuesOf = valuesOf
  }

  get(value: string): readonly T[] {
    const group = this.#groups.get(value)
    return group === undefined ? none : [...group.values()]
  }

  replace(key: string, previous: T | undefined, next: T | undefined): void {
    const values = next === undefined ? none : this.#valuesOf(next)
    if (previous !== undefined) {
      for (const value of this.#valuesOf(previous)) if (!values.includes(value)) this.#drop(value, key)
    }
    for (const value of values) this.#groupOf(value).set(key, next as T)
  }

  #groupOf(value: string): Map<string, T> {
    const known = this.#groups.get(value)
    if (known !== undefined) return known
    const group = new Map<string, T>()
    this.#groups.set(value, group)
    return group
  }

  #drop(value: string, key: string): void {
    const group = this.#groups.get(value)
    group?.delete(key)
    if (group?.size === 0) this.#groups.delete(value)
  }
}
