import { grown, type Topology } from './topology.ts'

/** How many pods of some kind each domain of a topology has. */
export class DomainCounts {
  readonly topology: Topology
  #counts = new Int32Array(16)
  #total = 0
  #lowest: number | undefined
  #domains = 0

  constructor(topology: Topology) {
    this.topology = topology
  }

  /** Pods in all domains; pods on nodes outside of the topology do not count. */
  get total(): number {
    return this.#total
  }

  /** The count of the node's domain; 0 for a node outside of the topology. */
  at(slot: number): number {
    const domain = this.topology.domainOf(slot)
    return domain < 0 ? 0 : (this.#counts[domain] ?? 0)
  }

  add(slot: number, change: number): void {
    const domain = this.topology.domainOf(slot)
    if (domain < 0) return
    if (domain >= this.#counts.length) this.#counts = grown(this.#counts, domain + 1, 0)
    this.#counts[domain] = (this.#counts[domain] as number) + change
    this.#total += change
    this.#lowest = undefined
  }

  /** The lowest count among domains that have a node. */
  get lowest(): number {
    return this.#lowest ?? this.#findLowest()
  }

  /** How many domains have a node. */
  get domains(): number {
    if (this.#lowest === undefined) this.#findLowest()
    return this.#domains
  }

  /** Nodes have come, gone or changed. */
  topologyChanged(): void {
    this.#lowest = undefined
  }

  #findLowest(): number {
    let lowest = Infinity
    this.#domains = 0
    for (let domain = 0; domain < this.topology.size; domain++) {
      if (this.topology.nodesIn(domain) === 0) continue
      this.#domains++
      lowest = Math.min(lowest, this.#counts[domain] ?? 0)
    }
    this.#lowest = lowest === Infinity ? 0 : lowest
    return this.#lowest
  }
}
