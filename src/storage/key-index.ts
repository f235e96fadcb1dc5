import type { Entry } from './store.ts'

/** A key that was deleted at `modRevision`. */
export interface Tombstone {
  readonly modRevision: number
  readonly value?: undefined
}

export type Version = Entry | Tombstone

/** All remembered versions of one key: `older` ascends by revision and is absent while there is only one. */
export interface KeyHistory {
  readonly key: string
  latest: Version
  older: Version[] | undefined
}

interface Block {
  readonly owner: object
  readonly histories: KeyHistory[]
}

const maxBlockLength = 512

/**
 * The keys in order, each with its history. Two levels of sorted arrays: inserting moves at most 512 references, and
 * a scan walks plain arrays.
 *
 *     put b@2, put d@3, put a@4       one block:   [a b d]
 *     … 600 keys later                two blocks:  [a … m] [n … z]     split in half when a block holds 513
 *     scan 'n'                        binary search for the block, then in the block, then walk to the right
 *     fork()                          both sides share [a … m] [n … z]; who first writes `c` copies only [a … m]
 */
export class KeyIndex {
  #blocks: Block[] = []
  #owner: object = {}

  get(key: string): KeyHistory | undefined {
    const block = this.#blocks[this.#blockFor(key)]
    const found = block?.histories[lowerBound(block.histories, key)]
    return found?.key === key ? found : undefined
  }

  /** Makes `version` the latest of the key. The one it replaces is kept. */
  put(key: string, version: Version): void {
    const histories = this.#writable(this.#blockFor(key))
    const position = lowerBound(histories, key)
    const found = histories[position]
    if (found?.key !== key) return this.#insert(histories, position, { key, latest: version, older: undefined })
    if (found.older) found.older.push(found.latest)
    else found.older = [found.latest]
    found.latest = version
  }

  /** Drops the key's versions that the one at `revision` replaced, and that one too if it is a tombstone. */
  forgetBefore(key: string, revision: number): void {
    if (!this.get(key)) return
    const blockNumber = this.#blockFor(key)
    const histories = this.#writable(blockNumber)
    const position = lowerBound(histories, key)
    const history = histories[position] as KeyHistory
    const kept = history.older?.filter((version) => isNeeded(version, revision))
    history.older = kept?.length ? kept : undefined
    if (history.older || isNeeded(history.latest, revision)) return
    histories.splice(position, 1)
    if (histories.length === 0) this.#blocks.splice(blockNumber, 1)
  }

  /** Calls `visit` for every key that starts with `prefix` and lies behind `after`, ascending. */
  scan(prefix: string, after: string | undefined, visit: (history: KeyHistory) => void): void {
    const start = after !== undefined && after > prefix ? after : prefix
    const firstBlock = this.#blockFor(start)
    for (let number = firstBlock; number < this.#blocks.length; number++) {
      const { histories } = this.#blocks[number] as Block
      // Keys under one prefix lie together: if a block's last one is under it, all from the start on are.
      const isWithin = (histories.at(-1) as KeyHistory).key.startsWith(prefix)
      for (
        let position = number === firstBlock ? lowerBound(histories, start) : 0;
        position < histories.length;
        position++
      ) {
        const history = histories[position] as KeyHistory
        if (!isWithin && !history.key.startsWith(prefix)) return
        if (history.key !== after) visit(history)
      }
    }
  }

  /** An independent copy; costs one array of blocks now, and a block's copy when either side first writes to it. */
  fork(): KeyIndex {
    const copy = new KeyIndex()
    copy.#blocks = this.#blocks.slice()
    this.#owner = {}
    return copy
  }

  /** The number of the last block whose first key is not above `key`; 0 if there is none. */
  #blockFor(key: string): number {
    let low = 1
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (((this.#blocks[middle] as Block).histories[0] as KeyHistory).key <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #writable(number: number): KeyHistory[] {
    const block = this.#blocks[number]
    if (block?.owner === this.#owner) return block.histories
    const histories = block?.histories.map(copyHistory) ?? []
    this.#blocks[number] = { owner: this.#owner, histories }
    return histories
  }

  #insert(histories: KeyHistory[], position: number, history: KeyHistory): void {
    histories.splice(position, 0, history)
    if (histories.length <= maxBlockLength) return
    // Keys that arrive in order (generated names, dated names) leave full blocks behind, not half-empty ones.
    const cut = position === maxBlockLength ? maxBlockLength : maxBlockLength >>> 1
    const number = this.#blockFor(history.key)
    this.#blocks.splice(number + 1, 0, { owner: this.#owner, histories: histories.splice(cut) })
  }
}

function isNeeded(version: Version, revision: number): boolean {
  return version.modRevision > revision || (version.modRevision === revision && version.value !== undefined)
}

function copyHistory({ key, latest, older }: KeyHistory): KeyHistory {
  return { key, latest, older: older?.slice() }
}

/** The first position whose key is not below `key`. */
function lowerBound(histories: readonly KeyHistory[], key: string): number {
  let low = 0
  let high = histories.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((histories[middle] as KeyHistory).key < key) low = middle + 1
    else high = middle
  }
  return low
}
