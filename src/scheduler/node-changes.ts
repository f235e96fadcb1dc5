import type { NodeInfo } from './node-info.ts'

/** Changes remembered; who has missed more must look at all nodes anew. */
const maxRemembered = 4_096

/** Which nodes have changed, in order: they came, went, have other facts, or pods came or went. */
export class NodeChanges {
  readonly #ring: NodeInfo[] = []
  #count = 0

  /** How many changes there have been. */
  get count(): number {
    return this.#count
  }

  record(node: NodeInfo): void {
    this.#ring[this.#count++ % maxRemembered] = node
  }

  /** Calls back with each node that changed after the first `count` changes; false if they are no longer known. */
  each(count: number, changed: (node: NodeInfo) => void): boolean {
    if (this.#count - count > maxRemembered) return false
    for (let at = count; at < this.#count; at++) changed(this.#ring[at % maxRemembered] as NodeInfo)
    return true
  }
}
