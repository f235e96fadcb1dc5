import type { IdRange } from './id-range.ts'

/** Who has which part of the node's ids. */
export class IdLedger {
  readonly #all: IdRange
  readonly #idsPerPod: number
  readonly #ofPod = new Map<string, number>()
  readonly #taken = new Set<number>()
  #next = 0

  constructor(all: IdRange, idsPerPod: number) {
    this.#all = all
    this.#idsPerPod = idsPerPod
  }

  /**
   * A range that no other pod has. The one that was given back last comes up again last, so that files that a pod has
   * left somewhere do not at once belong to another.
   */
  take(podUid: string): IdRange {
    const slots = this.#all.length / this.#idsPerPod
    for (let tried = 0; tried < slots; tried++) {
      const slot = (this.#next + tried) % slots
      const firstId = this.#all.firstId + slot * this.#idsPerPod
      if (this.#taken.has(firstId)) continue
      this.#next = (slot + 1) % slots
      return this.#give(podUid, firstId)
    }
    throw new Error('could not find an empty slot to allocate a user namespace')
  }

  /** The pod has this range already, from before. Throws when it cannot. */
  record(podUid: string, { firstId, length }: IdRange): IdRange {
    if (length !== this.#idsPerPod) throw new Error(`wrong user namespace length ${length}`)
    if (firstId % length !== 0) throw new Error(`wrong user namespace offset specified ${firstId}`)
    const known = this.#ofPod.get(podUid)
    if (known !== undefined && known !== firstId)
      throw new Error(`different user namespace range already used by pod "${podUid}"`)
    const slot = (firstId - this.#all.firstId) / length
    if (slot < 0 || slot >= this.#all.length / length) throw new Error(`id ${firstId} is out of range`)
    if (known === undefined && this.#taken.has(firstId))
      throw new Error(`range picked for pod "${podUid}" already taken`)
    return this.#give(podUid, firstId)
  }

  rangeOf(podUid: string): IdRange | undefined {
    const firstId = this.#ofPod.get(podUid)
    return firstId === undefined ? undefined : { firstId, length: this.#idsPerPod }
  }

  release(podUid: string): void {
    const firstId = this.#ofPod.get(podUid)
    if (firstId === undefined) return
    this.#ofPod.delete(podUid)
    this.#taken.delete(firstId)
  }

  #give(podUid: string, firstId: number): IdRange {
    this.#ofPod.set(podUid, firstId)
    this.#taken.add(firstId)
    return { firstId, length: this.#idsPerPod }
  }
}
