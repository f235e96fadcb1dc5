import { formatAmount, formatShortage, type Shortage } from '#api/core/v1/scheduling-explanation.ts'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node } from '#api/types/core.v1.ts'
import { canBeDevices, classesByResource } from '#api/resource/v1/extended-resources.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import { definePlugin, type ClusterChange, type Rejection, type SchedulerPlugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { cpuAndMemory, leftShare, useScoreOf, type ResourceUse, type ScoringStrategy } from './scoring-strategy.ts'

export interface NodeResourcesFitOptions {
  /** Extended resources that the plugin leaves to others, by name and by the group before the `/`. */
  readonly ignoredResources?: readonly string[]
  readonly ignoredResourceGroups?: readonly string[]
  /** Default: the emptier the node's cpu and memory, the better. */
  readonly scoringStrategy?: ScoringStrategy
}

type Ignores = (resource: string) => boolean

/** The pod's requests must fit into what the node has left; how full the node then is makes its score. */
export function nodeResourcesFit(options: NodeResourcesFitOptions = {}): SchedulerPlugin {
  const ignores = ignoringOf(options)
  return definePlugin<ReadonlySet<string> | undefined>({
    name: 'NodeResourcesFit',
    preFilter: (pod, { objects }) => (pod.otherRequests.length === 0 ? undefined : backedByDevices(pod, objects)),
    filter(pod, node, backed) {
      const fits =
        node.pods.size < node.allowedPods &&
        pod.cpu <= Math.max(node.freeCpu, 0) &&
        pod.memory <= Math.max(node.freeMemory, 0) &&
        (pod.otherRequests.length === 0 || otherRequestsFit(pod, node, besides(ignores, backed, node)))
      return fits ? undefined : rejectionOf(pod, node, besides(ignores, backed, node))
    },
    score: scoreBy(options.scoringStrategy),
    signature: signatureOf,
    remedy: (pod, node) => remedyOf(pod, node, ignores),
    helpedBy(change, pod) {
      // Every pod frees at least its place among the node's pods.
      if (change.type === 'podFreed') return true
      if (change.type === 'podUpdated') return takesLess(change)
      if (change.type === 'nodeAdded') return hasRoomFor(change.node, pod, ignores)
      return change.type === 'nodeUpdated' && hasRoomFor(change.node, pod, ignores) && hasMore(change)
    },
  })
}

/** Resources of the pod that classes of devices stand for. */
function backedByDevices(
  { otherRequests }: PodInfo,
  { deviceClasses }: ClusterObjects,
): ReadonlySet<string> | undefined {
  const asked = otherRequests.map(([name]) => name).filter(canBeDevices)
  if (asked.length === 0) return undefined
  const known = classesByResource(deviceClasses.list())
  return new Set(asked.filter((name) => known.has(name)))
}

/** What a node does not have itself its devices may have: that is for the plugin DynamicResources to judge. */
function besides(ignores: Ignores, backed: ReadonlySet<string> | undefined, { allocatable }: NodeInfo): Ignores {
  if (backed === undefined || backed.size === 0) return ignores
  return (name) => ignores(name) || (backed.has(name) && (allocatable[name] ?? 0) === 0)
}

/** What counts for a pod that requests nothing is the same for all such pods with as many containers. */
function signatureOf({ cpu, memory, scoredCpu, scoredMemory, otherRequests }: PodInfo): string {
  const others = otherRequests.length === 0 ? '' : JSON.stringify(otherRequests)
  return `${cpu},${memory},${scoredCpu},${scoredMemory},${others}`
}

/** Only what others have named can be ignored: a resource of Kubernetes itself has no `/` in its name. */
function ignoringOf({ ignoredResources = [], ignoredResourceGroups = [] }: NodeResourcesFitOptions): Ignores {
  if (ignoredResources.length + ignoredResourceGroups.length === 0) return () => false
  const names = new Set(ignoredResources)
  const groups = new Set(ignoredResourceGroups)
  return (name) => name.includes('/') && (names.has(name) || groups.has(name.slice(0, name.indexOf('/'))))
}

function scoreBy(strategy: ScoringStrategy | undefined): (pod: PodInfo, node: NodeInfo) => number {
  if (strategy === undefined) {
    return (pod, node) =>
      node.allocatableCpu > 0 && node.allocatableMemory > 0
        ? Math.floor(
            (leftShare(node.allocatableCpu, node.scoredCpu + pod.scoredCpu) +
              leftShare(node.allocatableMemory, node.scoredMemory + pod.scoredMemory)) /
              2,
          )
        : scoreBy({ type: 'LeastAllocated', resources: cpuAndMemory })(pod, node)
  }
  const score = useScoreOf(strategy)
  return (pod, node) => score(strategy.resources.flatMap(({ name, weight }) => useOf(pod, node, name, weight)))
}

/** Nothing where the node has none of the resource, or the pod asks for none of one that not every pod uses. */
function useOf(pod: PodInfo, node: NodeInfo, name: string, weight: number): readonly ResourceUse[] {
  const capacity = node.allocatable[name] ?? 0
  if (capacity === 0) return []
  if (name === 'cpu') return [{ capacity, used: node.scoredCpu + pod.scoredCpu, weight }]
  if (name === 'memory') return [{ capacity, used: node.scoredMemory + pod.scoredMemory, weight }]
  const requested = pod.requests[name] ?? 0
  return requested === 0 ? [] : [{ capacity, used: node.requested(name) + requested, weight }]
}

function otherRequestsFit(pod: PodInfo, node: NodeInfo, ignores: Ignores): boolean {
  return pod.otherRequests.every(
    ([name, amount]) => amount <= (node.allocatable[name] ?? 0) - node.requested(name) || ignores(name),
  )
}

/** Names everything that is short. More than the whole node has is beyond the help of preemption. */
function rejectionOf(pod: PodInfo, node: NodeInfo, ignores: Ignores): Rejection {
  const missing = shortagesOf(pod, node, ignores)
  const reason = missing
    .map(({ resource }) => (resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`))
    .join('\n')
  const unresolvable = missing.some(({ resource, requested }) => requested > capacityOf(node, resource))
  return { plugin: 'NodeResourcesFit', reason, unresolvable, ...(missing.length > 0 && { missing }) }
}

function shortagesOf(pod: PodInfo, node: NodeInfo, ignores: Ignores): readonly Shortage[] {
  const short: Shortage[] = []
  const places = node.allowedPods - node.pods.size
  if (places < 1) short.push({ resource: 'pods', requested: 1, free: places })
  for (const [resource, requested] of Object.entries(pod.requests)) {
    const free = capacityOf(node, resource) - node.requested(resource)
    if (requested > 0 && requested > free && !ignores(resource)) short.push({ resource, requested, free })
  }
  return short
}

function capacityOf(node: NodeInfo, resource: string): number {
  return resource === 'pods' ? node.allowedPods : (node.allocatable[resource] ?? 0)
}

/** `free 200m cpu and 1Gi memory on n3`, or that the node is too small. */
function remedyOf(pod: PodInfo, node: NodeInfo, ignores: Ignores): string | undefined {
  const short = shortagesOf(pod, node, ignores)
  if (short.length === 0) return undefined
  const tooLarge = short.find(({ resource, requested }) => requested > capacityOf(node, resource))
  if (tooLarge) {
    const most = capacityOf(node, tooLarge.resource)
    if (most === 0) return `give ${node.name} the resource ${tooLarge.resource}, or do not request it`
    const amount = `${formatAmount(tooLarge.resource, most)} ${tooLarge.resource}`
    return `request at most the ${amount} that ${node.name} has, or add a larger node`
  }
  const amounts = short.map((each) => `${formatShortage(each)} ${each.resource}`)
  return `free ${amounts.join(' and ')} on ${node.name}`
}

function takesLess({ pod, previous }: ClusterChange & { type: 'podUpdated' }): boolean {
  return Object.keys(previous.requests).some((name) => (pod.requests[name] ?? 0) < (previous.requests[name] ?? 0))
}

function hasRoomFor({ status }: Node, { requests }: PodInfo, ignores: Ignores): boolean {
  const allocatable = resourceAmounts(status?.allocatable)
  return (
    (allocatable['pods'] ?? 0) > 0 &&
    Object.entries(requests).every(([name, amount]) => {
      // What the node does not have at all, its devices may have.
      const isUnknown = allocatable[name] === undefined && canBeDevices(name)
      return amount <= (allocatable[name] ?? 0) || isUnknown || ignores(name)
    })
  )
}

function hasMore({ node, previous }: ClusterChange & { type: 'nodeUpdated' }): boolean {
  const now = resourceAmounts(node.status?.allocatable)
  const before = resourceAmounts(previous.status?.allocatable)
  return Object.keys(now).some((name) => (now[name] ?? 0) > (before[name] ?? 0))
}
