import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { PodCounting } from './counting/pod-counting.ts'
import type { ClusterObjects } from './cluster-objects.ts'
import type { Snapshot, Trial } from './framework.ts'
import { AssumedAllocations } from './devices/assumed-allocations.ts'
import { NodeChanges } from './node-changes.ts'
import { NodeInfo } from './node-info.ts'
import { PodInfo } from './pod-info.ts'
import { zonesInTurn } from './zones-in-turn.ts'

/**
 * The scheduler's picture of nodes and bound pods, changed step by step with each watch event: the cost of a pod does
 * not grow with the pods already placed. Pods that were just bound are assumed to be where they go until the watch
 * confirms it.
 */
export class ClusterCache implements Snapshot {
  readonly objects: ClusterObjects
  readonly counting: PodCounting
  readonly changes = new NodeChanges()
  readonly assumedVolumes = new Map<string, string>()
  readonly assumedAllocations = new AssumedAllocations()
  taintedNodes = 0
  softTaintedNodes = 0
  cordonedNodes = 0
  readonly #byName = new Map<string, NodeInfo>()
  #list: readonly NodeInfo[] | undefined
  readonly #freeSlots: number[] = []
  /** Where each known pod stands, by UID. */
  readonly #places = new Map<string, string>()
  /** Pods on nodes that are not known (yet), by node name. */
  readonly #waiting = new Map<string, Map<string, PodInfo>>()
  /** Where pods are to go that wait for others to make room, by UID. */
  readonly #nominations = new Map<string, string>()
  /** On how many nodes each image is. */
  readonly #imageNodes = new Map<string, number>()

  readonly #priorities = new Map<number, number>()
  readonly #claimUsers = new Map<string, number>()

  constructor(objects: ClusterObjects) {
    this.objects = objects
    this.counting = new PodCounting((name) => objects.namespaces.get(name)?.metadata.labels)
  }

  get nodes(): readonly NodeInfo[] {
    this.#list ??= zonesInTurn([...this.#byName.values()])
    return this.#list
  }

  get isAnyNominated(): boolean {
    return this.#nominations.size > 0
  }

  get lowestPriority(): number {
    let lowest = Infinity
    for (const priority of this.#priorities.keys()) lowest = Math.min(lowest, priority)
    return lowest
  }

  readonly node = (name: string): NodeInfo | undefined => this.#byName.get(name)

  readonly claimUsers = (key: string): number => this.#claimUsers.get(key) ?? 0

  readonly nodesWithImage = (name: string): number => this.#imageNodes.get(name) ?? 0

  /** Whether the node is new or differs in anything that filters look at. */
  setNode(node: Node): boolean {
    const known = this.#byName.get(node.metadata.name)
    if (!known) return this.#addNode(node)
    const before = known.node.status
    const changesCounts = countingFacts(known.node) !== countingFacts(node)
    const changesRoom = JSON.stringify(before?.allocatable) !== JSON.stringify(node.status?.allocatable)
    if (!changesCounts && !changesRoom && JSON.stringify(before?.images) === JSON.stringify(node.status?.images)) {
      known.node = node
      return false
    }
    this.#countFacts(known, -1)
    if (changesCounts) this.#withdraw(known)
    known.setNode(node)
    if (changesCounts) {
      this.#list = undefined
      this.counting.setNode(known)
      for (const info of known.pods.values()) this.counting.addPod(info, known)
    }
    this.#countFacts(known, 1)
    this.changes.record(known)
    return changesCounts || changesRoom
  }

  removeNode(name: string): void {
    const known = this.#byName.get(name)
    if (!known) return
    this.#countFacts(known, -1)
    this.#withdraw(known)
    for (const info of known.pods.values()) this.#countClaims(info, -1)
    this.counting.removeNode(known)
    this.counting.dropIdle()
    this.#byName.delete(name)
    this.changes.record(known)
    this.#freeSlots.push(known.slot)
    this.#list = undefined
    // Its pods live on in the API until they are collected, and count again if the node returns.
    if (known.pods.size > 0) this.#waiting.set(name, new Map(known.pods))
  }

  /** A bound pod, seen or assumed; what was known of it before. A finished pod takes nothing. */
  placePod(pod: Pod | PodInfo, nodeName: string): PodInfo | undefined {
    const info = pod instanceof PodInfo ? pod : new PodInfo(pod)
    const known = this.podOn(nodeName, info.uid)
    // The watch confirms what was assumed: nothing counts for more or less.
    if (known?.isLike(info) && !isPodTerminal(info.pod)) {
      this.#byName.get(nodeName)?.pods.set(info.uid, info)
      return known
    }
    const previous = this.removePod(info.uid)
    if (isPodTerminal(info.pod)) return previous
    this.#places.set(info.uid, nodeName)
    this.#countPriority(info, 1)
    const node = this.#byName.get(nodeName)
    if (node) {
      this.#put(node, info)
      this.changes.record(node)
    } else this.#waitingOn(nodeName).set(info.uid, info)
    return previous
  }

  /** What is known of a pod on a node. */
  podOn(nodeName: string, uid: string): PodInfo | undefined {
    return this.#byName.get(nodeName)?.pods.get(uid)
  }

  /** What was known of the pod, if it was placed. */
  removePod(uid: string): PodInfo | undefined {
    const nodeName = this.#places.get(uid)
    if (nodeName === undefined) return undefined
    this.#places.delete(uid)
    const waiting = this.#waiting.get(nodeName)
    const info = waiting?.get(uid)
    waiting?.delete(uid)
    const node = this.#byName.get(nodeName)
    const lifted = node && this.#lift(node, uid)
    if (node) this.changes.record(node)
    this.counting.dropIdle()
    const known = lifted ?? info
    if (known) this.#countPriority(known, -1)
    return known
  }

  /** Takes back where a pod was assumed to be, unless the watch has told of it since. */
  removeAssumed(info: PodInfo): void {
    const nodeName = this.#places.get(info.uid)
    if (nodeName === undefined || this.#byName.get(nodeName)?.pods.get(info.uid) !== info) return
    this.removePod(info.uid)
  }

  isPlaced(uid: string): boolean {
    return this.#places.has(uid)
  }

  /** The pod is to go to the node once others have made room there. */
  nominate(info: PodInfo, nodeName: string): void {
    this.withdrawNomination(info.uid)
    const node = this.#byName.get(nodeName)
    if (!node) return
    this.#nominations.set(info.uid, nodeName)
    node.nominated ??= new Map()
    node.nominated.set(info.uid, info)
  }

  withdrawNomination(uid: string): void {
    const node = this.#byName.get(this.#nominations.get(uid) ?? '')
    this.#nominations.delete(uid)
    if (node?.nominated?.delete(uid) && node.nominated.size === 0) node.nominated = undefined
  }

  nominationOf(uid: string): string | undefined {
    return this.#nominations.get(uid)
  }

  readonly supposing = <T>(node: NodeInfo, question: (trial: Trial) => T): T => {
    const added = new Map<string, PodInfo>()
    const removed = new Map<string, PodInfo>()
    const trial: Trial = {
      add: (info) => {
        if (!removed.delete(info.uid)) added.set(info.uid, info)
        this.#put(node, info)
      },
      remove: (info) => {
        if (!added.delete(info.uid)) removed.set(info.uid, info)
        this.#lift(node, info.uid)
      },
    }
    try {
      return question(trial)
    } finally {
      for (const uid of added.keys()) this.#lift(node, uid)
      for (const info of removed.values()) this.#put(node, info)
    }
  }

  #addNode(node: Node): true {
    const { name } = node.metadata
    const info = new NodeInfo(node, this.#freeSlots.pop() ?? this.#byName.size)
    this.#countFacts(info, 1)
    this.#byName.set(name, info)
    this.#list = undefined
    this.counting.setNode(info)
    for (const pod of this.#waiting.get(name)?.values() ?? []) this.#put(info, pod)
    this.#waiting.delete(name)
    this.changes.record(info)
    return true
  }

  #put(node: NodeInfo, info: PodInfo): void {
    node.add(info)
    this.counting.addPod(info, node)
    if (info.claimKeys.length > 0) this.#countClaims(info, 1)
  }

  #lift(node: NodeInfo, uid: string): PodInfo | undefined {
    const info = node.remove(uid)
    if (!info) return undefined
    this.counting.removePod(info, node)
    if (info.claimKeys.length > 0) this.#countClaims(info, -1)
    return info
  }

  #withdraw(node: NodeInfo): void {
    for (const info of node.pods.values()) this.counting.removePod(info, node)
  }

  #countFacts({ node, images }: NodeInfo, sign: 1 | -1): void {
    const effects = new Set(node.spec.taints?.map(({ effect }) => effect))
    if (effects.has('NoSchedule') || effects.has('NoExecute')) this.taintedNodes += sign
    if (effects.has('PreferNoSchedule')) this.softTaintedNodes += sign
    if (node.spec.unschedulable === true) this.cordonedNodes += sign
    for (const name of images.keys()) {
      const count = (this.#imageNodes.get(name) ?? 0) + sign
      if (count > 0) this.#imageNodes.set(name, count)
      else this.#imageNodes.delete(name)
    }
  }

  #countPriority({ priority }: PodInfo, sign: 1 | -1): void {
    const count = (this.#priorities.get(priority) ?? 0) + sign
    if (count > 0) this.#priorities.set(priority, count)
    else this.#priorities.delete(priority)
  }

  #countClaims({ claimKeys }: PodInfo, sign: 1 | -1): void {
    for (const key of claimKeys) {
      const count = this.claimUsers(key) + sign
      if (count > 0) this.#claimUsers.set(key, count)
      else this.#claimUsers.delete(key)
    }
  }

  #waitingOn(nodeName: string): Map<string, PodInfo> {
    const known = this.#waiting.get(nodeName)
    if (known) return known
    const made = new Map<string, PodInfo>()
    this.#waiting.set(nodeName, made)
    return made
  }
}

/** What counts by topology depend on. */
function countingFacts({ metadata, spec }: Node): string {
  return JSON.stringify([metadata.labels, spec.taints, spec.unschedulable])
}
