/**
 * Items by key, also in ascending key order. Built for many point reads and changes between few ordered reads: the
 * order is made at the first ordered read and kept up to date by binary insertion from then on.
 */
export class SortedByKey<T extends { readonly key: string }> {
  #byKey = new Map<string, T>()
  /** Ascending by key; undefined until the first ordered read. */
  #sorted: T[] | undefined

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  set(item: T): void {
    if (this.#sorted !== undefined) this.#place(this.#sorted, item)
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
    const sorted = (this.#sorted ??= [...this.#byKey.values()].sort(compareKeys))
    return sorted.slice(lowerBound(sorted, prefix), lowerBound(sorted, prefix + lastCharacter))
  }

  #place(sorted: T[], item: T): void {
    const last = sorted.at(-1)
    if (last === undefined || last.key < item.key) return void sorted.push(item)
    const index = lowerBound(sorted, item.key)
    if (this.#byKey.has(item.key)) sorted[index] = item
    else sorted.splice(index, 0, item)
  }
}

/** No key has it: names are made of letters, digits and few signs. */
const lastCharacter = '\uffff'

function compareKeys<T extends { readonly key: string }>({ key: left }: T, { key: right }: T): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** The first position whose key is not below `key`. */
function lowerBound(sorted: readonly { readonly key: string }[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.key ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
