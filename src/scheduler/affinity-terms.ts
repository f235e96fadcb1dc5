import {
  formatLabelSelector,
  matcherOf,
  matcherOfRequirements,
  type LabelMatcher,
  type LabelRequirement,
  type Labels,
} from '#api/meta/labels.ts'
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '#api/types/core.v1.ts'

/** Which pods a rule counts: equal keys mean equal choices. */
export interface PodChoice {
  readonly key: string
  /** The choice depends on the labels of namespaces and must be made anew when they change. */
  readonly readsNamespaceLabels: boolean
  matches(namespace: string, labels: Labels | undefined, labelsOf: NamespaceLabels): boolean
}

export type NamespaceLabels = (namespace: string) => Labels | undefined

/** One compiled term of pod affinity: which pods, and within which topology. */
export interface AffinityTerm extends PodChoice {
  readonly topologyKey: string
  /** 1..100 of a preferred term; 0 of a required one. */
  readonly weight: number
}

/** The terms of a pod with affinity towards other pods. */
export interface PodAffinityTerms {
  readonly required: readonly AffinityTerm[]
  readonly requiredAnti: readonly AffinityTerm[]
  readonly preferred: readonly AffinityTerm[]
  readonly preferredAnti: readonly AffinityTerm[]
}

/** Compiles the pod affinity and anti-affinity of a pod; nothing where it has none. */
export function affinityTermsOf(pod: Pod): PodAffinityTerms | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined) return undefined
  const compile = (term: PodAffinityTerm, weight = 0): AffinityTerm => compileTerm(pod, term, weight)
  const weighted = ({ podAffinityTerm, weight }: WeightedPodAffinityTerm): AffinityTerm =>
    compile(podAffinityTerm, weight)
  return {
    required: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => compile(term)),
    requiredAnti: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => compile(term)),
    preferred: (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted),
    preferredAnti: (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted),
  }
}

/**
 * The namespaces listed and those whose labels the selector matches; the pod's own where neither is given (API
 * reference, PodAffinityTerm).
 */
function compileTerm(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const listed = term.namespaces ?? []
  const bySelector = term.namespaceSelector && matcherOf(term.namespaceSelector)
  const names = new Set(listed.length === 0 && !bySelector ? [pod.metadata.namespace ?? ''] : listed)
  const selector = selectorOf(pod, term)
  const namespaceKey = bySelector ? formatLabelSelector(bySelector) || '*' : ''
  return {
    key: [[...names].sort().join(','), namespaceKey, selectorKey(selector, term), term.topologyKey].join('\n'),
    topologyKey: term.topologyKey,
    weight,
    readsNamespaceLabels: bySelector !== undefined && bySelector.requirements.length > 0,
    matches: (namespace, labels, labelsOf) =>
      (names.has(namespace) || (bySelector?.matches(labelsOf(namespace)) ?? false)) && selector.matches(labels),
  }
}

/** A missing selector matches no pod, an empty one every pod. */
function selectorKey(selector: LabelMatcher, { labelSelector }: PodAffinityTerm): string {
  return labelSelector === undefined ? '-' : formatLabelSelector(selector)
}

type KeyedSelector = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>

/** The selector with the pod's own values of `matchLabelKeys` and `mismatchLabelKeys` (KEP-3633, KEP-3243). */
export function selectorOf(
  pod: Pod,
  { labelSelector, matchLabelKeys, mismatchLabelKeys }: KeyedSelector,
): LabelMatcher {
  const selector = matcherOf(labelSelector)
  if (labelSelector === undefined) return selector
  const own = [...ownValues(pod, matchLabelKeys, 'in'), ...ownValues(pod, mismatchLabelKeys, 'notin')]
  return own.length === 0 ? selector : matcherOfRequirements([...selector.requirements, ...own])
}

function ownValues(pod: Pod, keys: readonly string[] = [], operator: 'in' | 'notin'): LabelRequirement[] {
  return keys.flatMap((key) => {
    const value = pod.metadata.labels?.[key]
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  })
}

/** The pods that all terms choose, as one choice. */
export function allOf(terms: readonly PodChoice[]): PodChoice {
  const [only] = terms
  if (terms.length === 1 && only) return only
  return {
    key: terms.map(({ key }) => key).join('\n&'),
    readsNamespaceLabels: terms.some(({ readsNamespaceLabels }) => readsNamespaceLabels),
    matches: (namespace, labels, labelsOf) => terms.every((term) => term.matches(namespace, labels, labelsOf)),
  }
}
