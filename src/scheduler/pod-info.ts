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

  constructor(pod: Pod) {
    this.pod = pod
    this.requests = podRequests(pod, { withStatus: true })
    this.cpu = this.requests['cpu'] ?? 0
    this.memory = this.requests['memory'] ?? 0
    this.otherRequests = Object.entries(this.requests).filter(
      ([name, amount]) => name !== 'cpu' && name !== 'memory' && amount > 0,
    )
    this.scoredCpu = this.cpu === 0 ? scoredCpu * pod.spec.containers.length : this.cpu
    this.scoredMemory = this.memory === 0 ? scoredMemory * pod.spec.containers.length : this.memory
    this.hostPorts = podHostPorts(pod)
    this.priority = pod.spec.priority ?? 0
    this.claimKeys = podClaims(pod).map(({ name }) => `${this.namespace}/${name}`)
    this.groupKey = groupKeyOf(pod)
    this.terms = affinityTermsOf(pod)
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
