import { podHostPorts, type HostPort } from '#api/core/v1/pod-facts.ts'
import { podRequests } from '#api/core/v1/pod-resources.ts'
import { resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'

/** What the scheduler counts for a pod that requests nothing, so that such pods spread too: 0.1 core, 200 MiB. */
const nonZeroDefaults: ResourceAmounts = { cpu: 100, memory: 200 * 1024 * 1024 }

/** A pod's share of a node, computed once and kept with the pod. */
export interface PodShare {
  readonly pod: Pod
  readonly requests: ResourceAmounts
  readonly scoredRequests: ResourceAmounts
  readonly hostPorts: readonly HostPort[]
}

/** Computes what a pod takes of a node. */
export function shareOf(pod: Pod): PodShare {
  const requests = podRequests(pod)
  return { pod, requests, scoredRequests: { ...nonZeroDefaults, ...requests }, hostPorts: podHostPorts(pod) }
}

/** A node with the sums of what its pods take, kept current by adding and removing shares. */
export class NodeInfo {
  node: Node
  allocatable: ResourceAmounts
  readonly requested: Record<string, number> = {}
  readonly scoredRequested: Record<string, number> = {}
  /** Bytes by image name. */
  images: ReadonlyMap<string, number>
  /** By UID: a pod of the same name may be another. */
  readonly pods = new Map<string, PodShare>()

  constructor(node: Node) {
    this.node = node
    this.allocatable = resourceAmounts(node.status?.allocatable)
    this.images = imagesOf(node)
  }

  setNode(node: Node): void {
    this.node = node
    this.allocatable = resourceAmounts(node.status?.allocatable)
    this.images = imagesOf(node)
  }

  add(share: PodShare): void {
    this.remove(share.pod.metadata.uid)
    this.pods.set(share.pod.metadata.uid, share)
    addTo(this.requested, share.requests, 1)
    addTo(this.scoredRequested, share.scoredRequests, 1)
  }

  remove(uid: string): void {
    const share = this.pods.get(uid)
    if (!share) return
    this.pods.delete(uid)
    addTo(this.requested, share.requests, -1)
    addTo(this.scoredRequested, share.scoredRequests, -1)
  }
}

function addTo(sums: Record<string, number>, amounts: ResourceAmounts, sign: 1 | -1): void {
  for (const [name, amount] of Object.entries(amounts)) sums[name] = (sums[name] ?? 0) + sign * amount
}

function imagesOf(node: Node): ReadonlyMap<string, number> {
  const images = node.status?.images ?? []
  return new Map(images.flatMap(({ names, sizeBytes }) => (names ?? []).map((name) => [name, sizeBytes ?? 0] as const)))
}
