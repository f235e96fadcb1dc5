/**
 * Items by key, also in ascending key order. Built for many point reads and changes between few ordered reads: the
 * order is made at the first ordered read and kept up to date by binary insertion from then on.
 */
export class SortedByKey<T extends { readonly key: string }> {
  #byKey = new Map<string, T>()
  /** Ascending by key; undefined until the first ordered read. */
  #sorted: string[] | undefined

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  set(item: T): void {
    if (this.#sorted !== undefined && !this.#byKey.has(item.key)) this.#insert(item.key)
    this.#byKey.set(item.key, item)
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key) || this.#sorted === undefined) return
    this.#sorted.splice(lowerBound(this.#sorted, key), 1)
  }

  replaceAll(items: readonly T[]): void {
    this.#byKey = new Map(items.map((item) => [item.key, item]))
    this.#sorted = undefined
  }

  /** Items whose key starts with `prefix`, ascending. */
  range(prefix: string): T[] {
    const sorted = (this.#sorted ??= [...this.#byKey.keys()].sort(compareKeys))
    const items: T[] = []
    for (let index = lowerBound(sorted, prefix); index < sorted.length; index++) {
      const key = sorted[index]
      if (key === undefined || !key.startsWith(prefix)) break
      const item = this.#byKey.get(key)
      if (item !== undefined) items.push(item)
    }
    return items
  }

  #insert(key: string): void {
    const sorted = this.#sorted
    if (sorted === undefined) return
    const last = sorted.at(-1)
    if (last === undefined || last < key) sorted.push(key)
    else sorted.splice(lowerBound(sorted, key), 0, key)
  }
}

function compareKeys(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** The first position whose key is not below `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
