import { findUntoleratedTaint } from '#api/core/v1/node-facts.ts'
import { matchesRequiredNodeAffinity } from '#api/core/v1/node-affinity.ts'
import { formatLabelSelector, matchesNothing, type LabelMatcher } from '#api/meta/labels.ts'
import type { Node, Pod, TopologySpreadConstraint } from '#api/types/core.v1.ts'
import type { PodChoice } from '../affinity-terms.ts'
import type { DomainCounts } from '../counting/domain-counts.ts'
import type { NodeScope } from '../counting/topology.ts'
import { definePlugin, maxNodeScore, type ClusterChange, type SchedulerPlugin, type Snapshot } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { ownersSelector } from './owners-selector.ts'

const plugin = 'PodTopologySpread'
const reason = "node(s) didn't match pod topology spread constraints"
const skewRejection = { plugin, reason }
const labelRejection = { plugin, reason: `${reason} (missing required label)`, unresolvable: true }

type DefaultConstraint = Pick<TopologySpreadConstraint, 'maxSkew' | 'topologyKey' | 'whenUnsatisfiable'>

/** What holds for pods of services and sets that state no constraints of their own. */
const systemDefaults: readonly DefaultConstraint[] = [
  { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
]

interface SpreadRule {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly counts: DomainCounts
  /** 1 where the pod itself will count. */
  readonly own: 0 | 1
}

interface SpreadState {
  readonly hard: readonly SpreadRule[]
  readonly soft: readonly SpreadRule[]
  /** Nodes that lack a label of a soft rule get no score; not so for the system's defaults. */
  readonly needsAllLabels: boolean
}

interface SpreadScoring extends SpreadState {
  /** By soft rule: rules with many domains count more, as their counts are lower. */
  readonly weights: readonly number[]
}

export interface PodTopologySpreadOptions {
  /** Replaces the system's defaults (KubeSchedulerConfiguration, `defaultingType: List`). */
  readonly defaultConstraints?: readonly DefaultConstraint[]
}

/** Keeps the numbers of like pods in the domains of a topology close to each other (KEP-895, KEP-3022, KEP-3094). */
export function podTopologySpread({ defaultConstraints }: PodTopologySpreadOptions = {}): SchedulerPlugin {
  return definePlugin<SpreadState, SpreadScoring>({
    name: plugin,
    preFilter: (pod, snapshot) => prepare(pod, snapshot, defaultConstraints),
    filter: (_pod, node, { hard }) => objection(node, hard),
    remedy: ({ pod }, { name, node }) => {
      const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
        ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
      )
      const unlabelled = hard.find(({ topologyKey }) => node.metadata.labels?.[topologyKey] === undefined)
      if (unlabelled) return `label ${name} with ${unlabelled.topologyKey}`
      const keys = hard.map(({ topologyKey }) => topologyKey).join(', ')
      return `make room in other domains of ${keys}, or raise maxSkew`
    },
    preScore: (_pod, feasible, state) =>
      state.soft.length === 0
        ? 'skip'
        : { ...state, weights: state.soft.map((rule) => weightOf(rule, feasible, state)) },
    score: (_pod, node, scoring) => (isIgnored(node, scoring) ? ignored : rawScore(node, scoring)),
    normalize: fewestFirst,
    weight: 2,
    helpedBy,
  })
}

function prepare(
  pod: PodInfo,
  snapshot: Snapshot,
  defaults: readonly DefaultConstraint[] | undefined,
): SpreadState | 'skip' {
  const stated = pod.pod.spec.topologySpreadConstraints ?? []
  const ofOwners = stated.length === 0 ? ownersSelector(pod.pod, snapshot.objects) : undefined
  if (stated.length === 0 && !ofOwners) return 'skip'
  const selectorFor = (constraint: TopologySpreadConstraint): LabelMatcher =>
    ofOwners ?? pod.spreadSelectors[stated.indexOf(constraint)] ?? matchesNothing
  const constraints = stated.length > 0 ? stated : (defaults ?? systemDefaults)
  const needsAllLabels = stated.length > 0 || defaults !== undefined
  const rulesOf = (when: TopologySpreadConstraint['whenUnsatisfiable']): SpreadRule[] => {
    const chosen = constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when)
    const labels = when === 'DoNotSchedule' || needsAllLabels ? chosen.map(({ topologyKey }) => topologyKey) : []
    return chosen.map((constraint) => ruleOf(pod, constraint, selectorFor(constraint), labels, snapshot))
  }
  return { hard: rulesOf('DoNotSchedule'), soft: rulesOf('ScheduleAnyway'), needsAllLabels }
}

function ruleOf(
  pod: PodInfo,
  constraint: TopologySpreadConstraint,
  selector: LabelMatcher,
  labels: readonly string[],
  { counting }: Snapshot,
): SpreadRule {
  const { topologyKey, maxSkew, minDomains = 1 } = constraint
  const own = selector.matches(pod.pod.metadata.labels) ? 1 : 0
  const scope = scopeOf(pod.pod, constraint, labels)
  const counts = counting.count({
    pods: likePods(pod.namespace, selector),
    topologyKey,
    scope,
    withoutTerminating: true,
  })
  return { topologyKey, maxSkew, minDomains, counts, own }
}

/** Pods of the namespace that the selector matches; an empty selector counts none. */
function likePods(namespace: string, selector: LabelMatcher): PodChoice {
  const isEmpty = selector.requirements.length === 0
  return {
    key: isEmpty ? '-' : `${namespace}\n${formatLabelSelector(selector)}`,
    readsNamespaceLabels: false,
    matches: (theirs, labels) => !isEmpty && theirs === namespace && selector.matches(labels),
  }
}

/** The nodes that take part: by default those that the pod's node affinity allows, whatever their taints. */
function scopeOf(
  { spec }: Pod,
  { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' }: TopologySpreadConstraint,
  labels: readonly string[],
): NodeScope {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const byAffinity = nodeAffinityPolicy === 'Honor' && (spec.nodeSelector !== undefined || required !== undefined)
  const byTaints = nodeTaintsPolicy === 'Honor'
  const affinityKey = byAffinity ? JSON.stringify([spec.nodeSelector, required]) : ''
  const taintsKey = byTaints ? JSON.stringify(spec.tolerations ?? []) : ''
  return {
    key: `${labels.join(',')};${affinityKey};${taintsKey}`,
    includes: (node: Node) =>
      labels.every((label) => node.metadata.labels?.[label] !== undefined) &&
      (!byAffinity || matchesRequiredNodeAffinity(spec, node)) &&
      (!byTaints || findUntoleratedTaint(node.spec.taints, spec.tolerations) === undefined),
  }
}

/** Skew: the pods of this domain with the newcomer, less those of the domain that has fewest. */
function objection({ node, slot }: NodeInfo, hard: readonly SpreadRule[]) {
  for (const { topologyKey, maxSkew, minDomains, counts, own } of hard) {
    // A node of a domain has the label; one that is out of scope may have it too.
    if (counts.topology.domainOf(slot) < 0 && node.metadata.labels?.[topologyKey] === undefined) return labelRejection
    const fewest = counts.domains < minDomains ? 0 : counts.lowest
    if (counts.at(slot) + own - fewest > maxSkew) return skewRejection
  }
  return undefined
}

const ignored = -1

function isIgnored({ node }: NodeInfo, { soft, needsAllLabels }: SpreadState): boolean {
  if (!needsAllLabels) return false
  for (const { topologyKey } of soft) if (node.metadata.labels?.[topologyKey] === undefined) return true
  return false
}

function weightOf({ counts: { topology } }: SpreadRule, feasible: readonly NodeInfo[], state: SpreadState): number {
  const isSeen = new Uint8Array(topology.size)
  let domains = 0
  for (const node of feasible) {
    const domain = topology.domainOf(node.slot)
    if (domain < 0 || isSeen[domain] === 1 || isIgnored(node, state)) continue
    isSeen[domain] = 1
    domains++
  }
  return Math.log(domains + 2)
}

function rawScore({ slot }: NodeInfo, { soft, weights }: SpreadScoring): number {
  let score = 0
  for (let index = 0; index < soft.length; index++) {
    const { counts, maxSkew } = soft[index] as SpreadRule
    if (counts.topology.domainOf(slot) < 0) continue
    score += counts.at(slot) * (weights[index] as number) + (maxSkew - 1)
  }
  return Math.round(score)
}

/** The fewer like pods, the better; ignored nodes get 0. */
function fewestFirst(scores: Float64Array): void {
  let [lowest, highest] = [Infinity, 0]
  for (const score of scores) {
    if (score === ignored) continue
    lowest = Math.min(lowest, score)
    highest = Math.max(highest, score)
  }
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] as number
    if (score === ignored) scores[index] = 0
    else if (highest === 0) scores[index] = maxNodeScore
    else scores[index] = Math.floor((maxNodeScore * (highest + lowest - score)) / highest)
  }
}

function helpedBy(change: ClusterChange, pod: PodInfo): boolean {
  switch (change.type) {
    // A node that goes may have been the domain that had fewest.
    case 'nodeAdded':
    case 'nodeRemoved':
      return takesPart(pod, change.node)
    case 'nodeUpdated':
      return (
        nodeFacts(change.node) !== nodeFacts(change.previous) &&
        (takesPart(pod, change.node) || takesPart(pod, change.previous))
      )
    // A pod that comes raises the lowest count, one that goes lowers its own domain's.
    case 'podBound':
    case 'podFreed':
      return isLike(pod, change.pod)
    case 'podUpdated':
      return isLike(pod, change.pod) || isLike(pod, change.previous)
    default:
      return false
  }
}

function takesPart({ pod }: PodInfo, { metadata }: Node): boolean {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter((each) => each.whenUnsatisfiable === 'DoNotSchedule')
  return hard.every(({ topologyKey }) => metadata.labels?.[topologyKey] !== undefined)
}

function nodeFacts({ metadata, spec }: Node): string {
  return JSON.stringify([metadata.labels, spec.taints])
}

function isLike(pod: PodInfo, other: PodInfo): boolean {
  if (pod.namespace !== other.namespace) return false
  return pod.spreadSelectors.some((selector) => selector.matches(other.pod.metadata.labels))
}
