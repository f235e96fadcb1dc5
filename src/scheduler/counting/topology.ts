import type { Node } from '#api/types/core.v1.ts'
import type { NodeInfo } from '../node-info.ts'

/** Which nodes a count looks at: equal keys mean equal scopes. */
export interface NodeScope {
  readonly key: string
  includes(node: Node): boolean
}

export const allNodes: NodeScope = { key: '', includes: () => true }

/**
 * The nodes of a scope divided into domains by the value of one label. Domains are small numbers; a node outside of the
 * scope or without the label has domain -1.
 *
 *     label zone: n1=a n2=b n3=a, n4 has none   →   domains of the slots: [0, 1, 0, -1], nodes in the domains: [2, 1]
 */
export class Topology {
  readonly label: string
  readonly scope: NodeScope
  readonly #ids = new Map<string, number>()
  #domainBySlot = new Int32Array(64).fill(-1)
  #nodesIn = new Int32Array(16)

  constructor(label: string, scope: NodeScope) {
    this.label = label
    this.scope = scope
  }

  /** How many domain numbers are in use; a domain that lost its last node keeps its number. */
  get size(): number {
    return this.#ids.size
  }

  domainOf(slot: number): number {
    return slot < this.#domainBySlot.length ? (this.#domainBySlot[slot] as number) : -1
  }

  nodesIn(domain: number): number {
    return this.#nodesIn[domain] ?? 0
  }

  /** Takes note of a node as it is now. */
  set({ node, slot }: NodeInfo): void {
    this.unset(slot)
    const value = node.metadata.labels?.[this.label]
    if (value === undefined || !this.scope.includes(node)) return
    const domain = this.#idOf(value)
    if (slot >= this.#domainBySlot.length) this.#domainBySlot = grown(this.#domainBySlot, slot + 1, -1)
    this.#domainBySlot[slot] = domain
    this.#nodesIn[domain] = this.nodesIn(domain) + 1
  }

  unset(slot: number): void {
    const domain = this.domainOf(slot)
    if (domain < 0) return
    this.#domainBySlot[slot] = -1
    this.#nodesIn[domain] = this.nodesIn(domain) - 1
  }

  #idOf(value: string): number {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    const id = this.#ids.size
    this.#ids.set(value, id)
    if (id >= this.#nodesIn.length) this.#nodesIn = grown(this.#nodesIn, id + 1, 0)
    return id
  }
}

/** A copy of the array with room for at least `length` numbers. */
export function grown(array: Int32Array<ArrayBuffer>, length: number, fill: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(length, array.length * 2)).fill(fill, array.length)
  larger.set(array)
  return larger
}
