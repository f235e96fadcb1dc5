import type { QueuingConfiguration } from '#api/types/flowcontrol.v1.ts'
import { dealHand } from './shuffle-shard.ts'

/** Something that waits for `width` seats. */
export interface Waiting {
  readonly width: number
  /** Whose request it is: requests of one flow share a hand of queues. */
  readonly flow: string
}

interface Queue<Item> {
  readonly items: Item[]
  /** Virtual time at which the head of this queue is due. */
  due: number
}

/**
 * Queues among which flows are spread by shuffle sharding, and which are served fairly: each queue in turn, a request
 * of `n` seats counting as `n` turns. A flow that floods fills its own few queues; others find a free one in their hand.
 *
 * Example: queues 8, hand 2: the flood lives in queues 1 and 5; of 28 hands only one has nothing but these two.
 */
export class FairQueues<Item extends Waiting> {
  readonly #queues: Queue<Item>[]
  readonly #queueOf = new Map<Item, Queue<Item>>()
  readonly #busy = new Set<Queue<Item>>()
  readonly #handSize: number
  readonly #lengthMax: number
  /** The virtual time: when the last dispatched request was due. */
  #now = 0

  constructor({ queues = 64, handSize = 8, queueLengthLimit = 50 }: QueuingConfiguration) {
    this.#queues = Array.from({ length: Math.max(queues, 1) }, () => ({ items: [], due: 0 }))
    this.#handSize = Math.min(handSize, this.#queues.length)
    this.#lengthMax = queueLengthLimit
  }

  get size(): number {
    return this.#queueOf.size
  }

  /** Lets it wait in the shortest queue of its flow's hand; false if that one is full. */
  push(item: Item): boolean {
    const queue = this.#shortest(item.flow)
    if (queue === undefined || queue.items.length >= this.#lengthMax) return false
    if (queue.items.length === 0) {
      queue.due = Math.max(queue.due, this.#now)
      this.#busy.add(queue)
    }
    queue.items.push(item)
    this.#queueOf.set(item, queue)
    return true
  }

  /** Who is next; undefined if nobody waits. */
  peek(): Item | undefined {
    return this.#next()?.items[0]
  }

  /** Takes the one that `peek` shows. */
  shift(): Item | undefined {
    const queue = this.#next()
    const item = queue?.items[0]
    if (queue === undefined || item === undefined) return undefined
    this.#now = queue.due
    queue.due += item.width
    this.remove(item)
    return item
  }

  /** Forgets one that does not wait any more. */
  remove(item: Item): void {
    const queue = this.#queueOf.get(item)
    if (queue === undefined) return
    this.#queueOf.delete(item)
    queue.items.splice(queue.items.indexOf(item), 1)
    if (queue.items.length === 0) this.#busy.delete(queue)
  }

  /** The queues that somebody waits in, by their index. */
  busy(): { readonly index: number; readonly items: readonly Item[] }[] {
    return this.#queues.map(({ items }, index) => ({ index, items })).filter(({ items }) => items.length > 0)
  }

  /** Everybody who waits, in no particular order. */
  items(): Item[] {
    return [...this.#queueOf.keys()]
  }

  #next(): Queue<Item> | undefined {
    let next: Queue<Item> | undefined
    for (const queue of this.#busy) if (next === undefined || queue.due < next.due) next = queue
    return next
  }

  #shortest(flow: string): Queue<Item> | undefined {
    let shortest: Queue<Item> | undefined
    for (const index of dealHand(flow, this.#queues.length, this.#handSize)) {
      const queue = this.#queues[index]
      if (queue && (shortest === undefined || queue.items.length < shortest.items.length)) shortest = queue
    }
    return shortest
  }
}
