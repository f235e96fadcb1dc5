import type { Node } from '#api/types/core.v1.ts'
import { allOf, type AffinityTerm, type NamespaceLabels } from '../affinity-terms.ts'
import type { DomainCounts } from '../counting/domain-counts.ts'
import { definePlugin, maxNodeScore, type ClusterChange, type SchedulerPlugin, type Snapshot } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

const plugin = 'InterPodAffinity'
const affinityRejection = { plugin, reason: "node(s) didn't match pod affinity rules", unresolvable: true }
const antiAffinityRejection = { plugin, reason: "node(s) didn't match pod anti-affinity rules" }
const existingRejection = { plugin, reason: "node(s) didn't satisfy existing pods anti-affinity rules" }

interface AffinityState {
  /** For each required term: pods that match all required terms. */
  readonly wanted: readonly DomainCounts[]
  /** The pod matches its own required terms, so that the first of a group may go anywhere. */
  readonly wantsItself: boolean
  readonly unwanted: readonly DomainCounts[]
  /** Placed pods that do not want this one near. */
  readonly opposed: readonly DomainCounts[]
  readonly preferences: readonly Preference[]
}

interface Preference {
  readonly counts: DomainCounts
  readonly weight: number
}

export interface InterPodAffinityOptions {
  /** What a placed pod's required affinity towards the newcomer adds to the score; default 1. */
  readonly hardPodAffinityWeight?: number
  /** Leaves out what placed pods prefer, unless the newcomer has affinity itself; default false. */
  readonly ignorePreferredTermsOfExistingPods?: boolean
}

/**
 * Pods near or away from other pods, within a topology (API reference, PodAffinity and PodAntiAffinity). Anti-affinity
 * is mutual: the required terms of pods that are already there hold against the newcomer too.
 */
export function interPodAffinity(options: InterPodAffinityOptions = {}): SchedulerPlugin {
  return definePlugin<AffinityState>({
    name: plugin,
    preFilter: (pod, snapshot) => prepare(pod, snapshot, options),
    filter(_pod, { slot }, state) {
      if (state.wanted.length > 0 && !isWanted(slot, state)) return affinityRejection
      if (isAnyAt(slot, state.unwanted)) return antiAffinityRejection
      return isAnyAt(slot, state.opposed) ? existingRejection : undefined
    },
    remedy: remedyOf,
    preScore: (_pod, _feasible, state) => (state.preferences.length === 0 ? 'skip' : state),
    score(_pod, { slot }, { preferences }) {
      let score = 0
      for (const { counts, weight } of preferences) score += weight * counts.at(slot)
      return score
    },
    normalize: spreadOut,
    weight: 2,
    helpedBy,
  })
}

function prepare(
  pod: PodInfo,
  { counting }: Snapshot,
  { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false }: InterPodAffinityOptions,
): AffinityState | 'skip' {
  const { terms } = pod
  const held = counting.termsTowards(pod)
  if (!terms && held.length === 0) return 'skip'
  const countOf = (term: AffinityTerm): DomainCounts => counting.count({ pods: term, topologyKey: term.topologyKey })
  const { required = [], requiredAnti = [], preferred = [], preferredAnti = [] } = terms ?? {}
  const all = allOf(required)
  const heldWeights = {
    required: () => hardPodAffinityWeight,
    requiredAnti: () => 0,
    preferred: ({ weight }: AffinityTerm) => weight,
    preferredAnti: ({ weight }: AffinityTerm) => -weight,
  }
  const hasPreferences = preferred.length + preferredAnti.length > 0
  const preferences = [
    ...preferred.map((term) => ({ counts: countOf(term), weight: term.weight })),
    ...preferredAnti.map((term) => ({ counts: countOf(term), weight: -term.weight })),
    ...(hasPreferences || !ignorePreferredTermsOfExistingPods ? held : []).map(({ kind, term, counts }) => ({
      counts,
      weight: heldWeights[kind](term),
    })),
  ]
  return {
    wanted: required.map(({ topologyKey }) => counting.count({ pods: all, topologyKey })),
    wantsItself: all.matches(pod.namespace, pod.pod.metadata.labels, counting.labelsOf),
    unwanted: requiredAnti.map(countOf),
    opposed: held.filter(({ kind }) => kind === 'requiredAnti').map(({ counts }) => counts),
    preferences: preferences.filter(({ weight }) => weight !== 0),
  }
}

/** Which terms stand in the way is told by the pod; which placed pods hold terms against it is told by its labels. */
function remedyOf({ terms, pod }: PodInfo, { name }: NodeInfo): string {
  const near = terms?.required.map(({ topologyKey }) => topologyKey) ?? []
  const away = terms?.requiredAnti.map(({ topologyKey }) => topologyKey) ?? []
  if (near.length > 0) return `run the pods that it wants to be near in the ${near.join(', ')} of ${name}`
  if (away.length > 0)
    return `add a ${away.join(', ')} without the pods that it keeps away from, or end those of ${name}`
  return `end the pods near ${name} whose anti-affinity names the labels of ${pod.metadata.name}`
}

function isWanted(slot: number, { wanted, wantsItself }: AffinityState): boolean {
  let arePodsThere = true
  for (const counts of wanted) {
    if (counts.topology.domainOf(slot) < 0) return false
    if (counts.at(slot) === 0) arePodsThere = false
  }
  return arePodsThere || (wantsItself && wanted.every(({ total }) => total === 0))
}

function isAnyAt(slot: number, all: readonly DomainCounts[]): boolean {
  for (const counts of all) if (counts.at(slot) > 0) return true
  return false
}

/** The lowest becomes 0 and the highest 100. */
function spreadOut(scores: Float64Array): void {
  let [lowest, highest] = [Infinity, -Infinity]
  for (const score of scores) {
    lowest = Math.min(lowest, score)
    highest = Math.max(highest, score)
  }
  const range = highest - lowest
  for (let index = 0; index < scores.length; index++) {
    scores[index] = range === 0 ? 0 : Math.floor((maxNodeScore * ((scores[index] as number) - lowest)) / range)
  }
}

/** Namespaces outside of the pod's own are taken to match, as their labels are not at hand here. */
const anyNamespaceLabels: NamespaceLabels = () => undefined

function helpedBy(change: ClusterChange, pod: PodInfo): boolean {
  switch (change.type) {
    case 'nodeAdded':
      return isWithinReach(pod, change.node)
    case 'nodeUpdated':
      return JSON.stringify(change.node.metadata.labels) !== JSON.stringify(change.previous.metadata.labels)
    case 'podFreed':
      // The last pod that a group is drawn to may go: then its first newcomer may go anywhere.
      return keepsAway(change.pod, pod) || keepsAway(pod, change.pod) || isDrawnTo(pod, change.pod)
    case 'podBound':
      return isDrawnTo(pod, change.pod)
    case 'podUpdated':
      return isDrawnTo(pod, change.pod) || keepsAway(pod, change.previous)
    case 'namespaceLabeled':
      return change.name === pod.namespace || readsNamespaceLabels(pod)
    case 'nodeRemoved':
    case 'storageChanged':
    case 'devicesChanged':
      return false
  }
}

/** Pods that must be near others need a node of the topology; all else may suit any node. */
function isWithinReach({ terms }: PodInfo, { metadata }: Node): boolean {
  return (terms?.required ?? []).every(({ topologyKey }) => metadata.labels?.[topologyKey] !== undefined)
}

function readsNamespaceLabels({ terms }: PodInfo): boolean {
  return [...(terms?.required ?? []), ...(terms?.requiredAnti ?? [])].some((term) => term.readsNamespaceLabels)
}

function keepsAway(holder: PodInfo, other: PodInfo): boolean {
  return (holder.terms?.requiredAnti ?? []).some((term) => mayMatch(term, other))
}

function isDrawnTo(pod: PodInfo, other: PodInfo): boolean {
  return (pod.terms?.required ?? []).some((term) => mayMatch(term, other))
}

function mayMatch(term: AffinityTerm, { namespace, pod }: PodInfo): boolean {
  return term.readsNamespaceLabels || term.matches(namespace, pod.metadata.labels, anyNamespaceLabels)
}
