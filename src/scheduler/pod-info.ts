import { podHostPorts, type HostPort } from '#api/core/v1/pod-facts.ts'
import { podRequests } from '#api/core/v1/pod-resources.ts'
import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { LabelMatcher } from '#api/meta/labels.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { podClaims } from './volumes/pod-claims.ts'
import { affinityTermsOf, selectorOf, type PodAffinityTerms } from './affinity-terms.ts'

/** What the scheduler counts for a container that requests nothing, so that such pods spread too: 0.1 core, 200 MiB. */
const scoredCpu = 100
const scoredMemory = 200 * 1024 * 1024

/** A pod with everything the scheduler derives from it, computed once and kept with the pod. */
export class PodInfo {
  readonly pod: Pod
  readonly requests: ResourceAmounts
  readonly cpu: number
  readonly memory: number
  /** Requests other than cpu and memory. */
  readonly otherRequests: readonly (readonly [resource: string, amount: number])[]
  /** What the pod counts for in scores: as requested, or a typical amount where nothing is. */
  readonly scoredCpu: number
  readonly scoredMemory: number
  readonly hostPorts: readonly HostPort[]
  readonly priority: number
  /** `namespace/name` of the claims of its volumes. */
  readonly claimKeys: readonly string[]
  /** Namespace, labels and whether it terminates: pods that agree in these are counted together. */
  readonly groupKey: string
  /** Compiled pod affinity and anti-affinity, or nothing where the pod has none. */
  readonly terms: PodAffinityTerms | undefined
  #spreadSelectors: readonly LabelMatcher[] | undefined

  /** What was derived from an earlier state of the pod is taken over where it still holds. */
  constructor(pod: Pod, earlier?: PodInfo) {
    this.pod = pod
    const known = earlier && isAlike(earlier.pod, pod) ? earlier : undefined
    const from = known ?? derive(pod)
    this.requests = from.requests
    this.cpu = from.cpu
    this.memory = from.memory
    this.otherRequests = from.otherRequests
    this.scoredCpu = from.scoredCpu
    this.scoredMemory = from.scoredMemory
    this.hostPorts = from.hostPorts
    this.priority = from.priority
    this.claimKeys = from.claimKeys
    // A write that leaves the labels alone shares them with the state before.
    const hasSameLabels = known?.pod.metadata.labels === pod.metadata.labels
    this.groupKey = known && hasSameLabels ? known.groupKey : groupKeyOf(pod)
    this.terms = known?.terms && !hasSameLabels ? affinityTermsOf(pod) : from.terms
  }

  /** Whether the other counts for the same in every way. */
  isLike(other: PodInfo): boolean {
    return this.requests === other.requests && this.groupKey === other.groupKey && this.terms === other.terms
  }

  get uid(): string {
    return this.pod.metadata.uid
  }

  get namespace(): string {
    return this.pod.metadata.namespace ?? ''
  }

  /** Which pods its own topology spread constraints count, in their order. */
  get spreadSelectors(): readonly LabelMatcher[] {
    const { pod } = this
    this.#spreadSelectors ??= (pod.spec.topologySpreadConstraints ?? []).map((each) => selectorOf(pod, each))
    return this.#spreadSelectors
  }
}

function groupKeyOf({ metadata: { namespace = '', labels, deletionTimestamp } }: Pod): string {
  let key = deletionTimestamp === undefined ? namespace : `${namespace}/terminating`
  if (labels === undefined) return key
  for (const name of Object.keys(labels).sort()) key += `\n${name}=${labels[name]}`
  return key
}

type Derived = Omit<PodInfo, 'pod' | 'uid' | 'namespace' | 'groupKey' | 'spreadSelectors' | 'isLike'>

function derive(pod: Pod): Derived {
  const requests = podRequests(pod, { withStatus: true })
  const { cpu = 0, memory = 0 } = requests
  const containers = pod.spec.containers.length
  return {
    requests,
    cpu,
    memory,
    otherRequests: Object.entries(requests).filter(([name, amount]) => !isUsual(name) && amount > 0),
    scoredCpu: cpu === 0 ? scoredCpu * containers : cpu,
    scoredMemory: memory === 0 ? scoredMemory * containers : memory,
    hostPorts: podHostPorts(pod),
    priority: pod.spec.priority ?? 0,
    claimKeys: podClaims(pod).map(({ name }) => `${pod.metadata.namespace ?? ''}/${name}`),
    terms: affinityTermsOf(pod),
  }
}

function isUsual(resource: string): boolean {
  return resource === 'cpu' || resource === 'memory'
}

/** The generation stands for the spec, but for the node, which the scheduler itself has chosen. */
function isAlike(a: Pod, b: Pod): boolean {
  const [before, now] = [a.metadata, b.metadata]
  return (
    before.uid === now.uid &&
    before.generation === now.generation &&
    before.deletionTimestamp === now.deletionTimestamp &&
    heldResources(a) === heldResources(b)
  )
}

/** What containers hold while a resize is under way (KEP-1287). */
function heldResources({ status }: Pod): string {
  if (status?.containerStatuses === undefined) return ''
  const held = status.containerStatuses.map(({ resources, allocatedResources }) => [resources, allocatedResources])
  const pending = status.conditions?.find(({ type }) => type === 'PodResizePending')?.reason
  return JSON.stringify([held, pending])
}
