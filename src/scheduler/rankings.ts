import { Heap } from '#lib/heap.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { Random } from '#lib/random.ts'
import { firstRejection, type PreparedPod } from './filters.ts'
import type { Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'

interface Entry {
  readonly node: NodeInfo
  readonly score: number
  /** Among equals each has the same chance. */
  readonly lot: number
}

/** In smaller clusters looking at each node costs less than remembering them. */
const minNodes = 200
const maxRankings = 8
const maxSigns = 100

/**
 * Remembers how all nodes rank for pods that are alike, as those of a Job are. A node is looked at again only when it
 * has changed, so that such a pod costs as much as the nodes that changed since the last one, not as all nodes.
 *
 *     pods p1, p2, p3 alike   p1: every node   p2: every node, remembered   p3: the node of p2, and the best is known
 *
 * It holds only where each plugin that has something to say judges a node by the node alone: plugins that have a
 * `signature`. The rest of the pods take the long way.
 */
export class Rankings {
  readonly #rankings = new LruMap<string, Ranking>(maxRankings)
  /** Of pods seen once: a ranking is worth its while only for a pod that is not alone. */
  readonly #seen = new LruMap<string, true>(maxSigns)
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** The best node for the pod and how many there are, or nothing where they must be looked at one by one. */
  best(prepared: PreparedPod, snapshot: Snapshot): { readonly node: NodeInfo; readonly feasible: number } | undefined {
    if (snapshot.nodes.length < minNodes || snapshot.isAnyNominated) return undefined
    const signature = signatureOf(prepared, snapshot)
    if (signature === undefined) return undefined
    const known = this.#rankings.get(signature)
    if (known) return known.best(prepared, snapshot)
    if (this.#seen.get(signature) === undefined) {
      this.#seen.set(signature, true)
      return undefined
    }
    const ranking = new Ranking(this.#random)
    this.#rankings.set(signature, ranking)
    return ranking.best(prepared, snapshot)
  }
}

/** Pods with equal signatures are judged alike on every node. */
function signatureOf({ pod, profile, states, filtering }: PreparedPod, snapshot: Snapshot): string | undefined {
  let signature = profile.schedulerName
  for (const { plugin, slot } of filtering) {
    if (!plugin.signature) return undefined
    signature += `\n${slot}:${plugin.signature(pod, states[slot])}`
  }
  for (const { plugin, slot } of profile.points.score) {
    const state = states[slot]
    if (state === 'skip' || plugin.preScore?.(pod, [], state, snapshot) === 'skip') continue
    if (!plugin.signature || plugin.preScore || plugin.normalize !== undefined) return undefined
    signature += `\n${slot}:${plugin.signature(pod, states[slot])}`
  }
  return signature
}

class Ranking {
  readonly #random: Random
  readonly #heap = new Heap<Entry>((a, b) => (a.score === b.score ? a.lot < b.lot : a.score > b.score))
  /** What counts of each node, by slot; older entries in the heap are void. */
  #entries: (Entry | undefined)[] = []
  #feasible = 0
  #changes = -1

  constructor(random: Random) {
    this.#random = random
  }

  best(prepared: PreparedPod, snapshot: Snapshot): { readonly node: NodeInfo; readonly feasible: number } | undefined {
    this.#follow(prepared, snapshot)
    for (let top = this.#heap.peek(); top; top = this.#heap.peek()) {
      if (this.#entries[top.node.slot] === top) return { node: top.node, feasible: this.#feasible }
      this.#heap.pop()
    }
    return undefined
  }

  #follow(prepared: PreparedPod, snapshot: Snapshot): void {
    const { changes, nodes } = snapshot
    const isFollowable = this.#changes >= 0 && this.#heap.size <= nodes.length * 4
    const look = (node: NodeInfo): void => this.#look(node, prepared, snapshot)
    if (!isFollowable || !changes.each(this.#changes, look)) this.#lookAtAll(prepared, snapshot)
    this.#changes = changes.count
  }

  #lookAtAll(prepared: PreparedPod, snapshot: Snapshot): void {
    this.#heap.clear()
    this.#entries = []
    this.#feasible = 0
    for (const node of snapshot.nodes) this.#look(node, prepared, snapshot)
  }

  #look(node: NodeInfo, prepared: PreparedPod, snapshot: Snapshot): void {
    if (this.#entries[node.slot]) this.#feasible--
    this.#entries[node.slot] = undefined
    // A node that went may have left its slot to another, whose own change is told too.
    if (snapshot.node(node.name) !== node || firstRejection(prepared, node)) return
    const entry = { node, score: scoreOf(node, prepared), lot: this.#random.next() }
    this.#entries[node.slot] = entry
    this.#feasible++
    this.#heap.push(entry)
  }
}

function scoreOf(node: NodeInfo, { pod, profile, states }: PreparedPod): number {
  let score = 0
  for (const { plugin, slot, weight } of profile.points.score) {
    const state = states[slot]
    // Those with a `preScore` had nothing to say, or there would be no ranking.
    if (state !== 'skip' && plugin.score && !plugin.preScore) score += plugin.score(pod, node, state) * weight
  }
  return score
}
