import { resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { PodInfo } from './pod-info.ts'

/** A node with the sums of what its pods take, kept current by adding and removing pods. */
export class NodeInfo {
  node: Node
  readonly name: string
  /** A small number of its own among all known nodes, for arrays by node; free again when the node goes. */
  readonly slot: number
  allocatable: ResourceAmounts = {}
  allowedPods = 0
  /** Cores in thousandths and bytes that no pod has requested. */
  freeCpu = 0
  freeMemory = 0
  allocatableCpu = 0
  allocatableMemory = 0
  requestedCpu = 0
  requestedMemory = 0
  scoredCpu = 0
  scoredMemory = 0
  /** Bytes by image name. */
  images: ReadonlyMap<string, number> = new Map()
  /** By UID: a pod of the same name may be another. */
  readonly pods = new Map<string, PodInfo>()
  /** Pods that are to come here once others have made room, by UID; absent while there are none. */
  nominated: Map<string, PodInfo> | undefined
  readonly #otherRequested: Record<string, number> = {}

  constructor(node: Node, slot: number) {
    this.node = node
    this.name = node.metadata.name
    this.slot = slot
    this.setNode(node)
  }

  setNode(node: Node): void {
    this.node = node
    this.allocatable = resourceAmounts(node.status?.allocatable)
    this.allowedPods = this.allocatable['pods'] ?? 0
    this.allocatableCpu = this.allocatable['cpu'] ?? 0
    this.allocatableMemory = this.allocatable['memory'] ?? 0
    this.images = imagesOf(node)
    this.#countFree()
  }

  /** What the node's pods have requested of a resource. */
  requested(resource: string): number {
    if (resource === 'cpu') return this.requestedCpu
    return resource === 'memory' ? this.requestedMemory : (this.#otherRequested[resource] ?? 0)
  }

  add(info: PodInfo): void {
    this.pods.set(info.uid, info)
    this.#count(info, 1)
  }

  remove(uid: string): PodInfo | undefined {
    const info = this.pods.get(uid)
    if (info && this.pods.delete(uid)) this.#count(info, -1)
    return info
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    this.requestedCpu += sign * info.cpu
    this.requestedMemory += sign * info.memory
    this.scoredCpu += sign * info.scoredCpu
    this.scoredMemory += sign * info.scoredMemory
    for (const [name, amount] of info.otherRequests) {
      this.#otherRequested[name] = (this.#otherRequested[name] ?? 0) + sign * amount
    }
    this.#countFree()
  }

  #countFree(): void {
    this.freeCpu = this.allocatableCpu - this.requestedCpu
    this.freeMemory = this.allocatableMemory - this.requestedMemory
  }
}

function imagesOf(node: Node): ReadonlyMap<string, number> {
  const images = node.status?.images ?? []
  return new Map(images.flatMap(({ names, sizeBytes }) => (names ?? []).map((name) => [name, sizeBytes ?? 0] as const)))
}
