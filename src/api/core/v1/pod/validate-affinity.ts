import { within } from '../../../meta/check-numbers.ts'
import { forbiddenField, invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { dnsLabel, labelKey } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabelSelector } from '../../../meta/validate-labels.ts'
import type { Affinity, PodAffinity, PodAffinityTerm } from '../../../types/core.v1.ts'
import { validateNodeSelector, validateNodeSelectorTerm } from '../validate-node-selector.ts'

/** Where a pod wants to be: beside which nodes and which other pods. */
export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return []
  return [
    ...validateNodeAffinity(affinity, `${path}.nodeAffinity`),
    ...validatePodTerms(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodTerms(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ]
}

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferredName = 'preferredDuringSchedulingIgnoredDuringExecution'

function validateNodeAffinity({ nodeAffinity }: Affinity, path: string): FieldError[] {
  if (nodeAffinity === undefined) return []
  const hard = nodeAffinity[requiredName]
  const errors = hard === undefined ? [] : validateNodeSelector(hard, `${path}.${requiredName}`)
  for (const [index, { weight, preference }] of (nodeAffinity[preferredName] ?? []).entries()) {
    const at = `${path}.${preferredName}[${index}]`
    errors.push(...validateWeight(weight, `${at}.weight`))
    // A label that no node can have only makes a wish that is never met.
    errors.push(...validateNodeSelectorTerm(preference ?? {}, `${at}.preference`, 'any values'))
  }
  return errors
}

function validatePodTerms(affinity: PodAffinity | undefined, path: string): FieldError[] {
  const errors = (affinity?.[requiredName] ?? []).flatMap((term, index) =>
    validatePodTerm(term, `${path}.${requiredName}[${index}]`),
  )
  for (const [index, { weight, podAffinityTerm }] of (affinity?.[preferredName] ?? []).entries()) {
    const at = `${path}.${preferredName}[${index}]`
    errors.push(...validateWeight(weight, `${at}.weight`))
    errors.push(...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`))
  }
  return errors
}

function validateWeight(weight: number, path: string): FieldError[] {
  return within(weight, 1, 100, path).length === 0 ? [] : [invalidValue(path, weight, 'must be in the range 1-100')]
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ]
  for (const namespace of term.namespaces ?? []) {
    errors.push(...invalidForEach(`${path}.namespace`, namespace, dnsLabel(namespace)))
  }
  errors.push(...validateMatchLabelKeys(term, path))
  const { topologyKey = '' } = term as Partial<PodAffinityTerm>
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  return [...errors, ...invalidForEach(`${path}.topologyKey`, topologyKey, labelKey(topologyKey))]
}

type WithLabelKeys = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>

/**
 * Keys whose values come from the pod's own labels. When a pod is created they have become expressions of the selector
 * already: a key that is there twice stood in the selector before.
 */
export function validateMatchLabelKeys(term: WithLabelKeys, path: string): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term
  const errors: FieldError[] = []
  for (const [field, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length === 0) continue
    const at = `${path}.${field}`
    if (labelSelector === undefined) {
      errors.push(forbiddenField(at, 'must not be specified when labelSelector is not set'))
    } else errors.push(...keys.flatMap((key, index) => invalidForEach(`${at}[${index}]`, key, labelKey(key))))
  }
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key)
    if (index >= 0 && selected.has(key)) {
      errors.push(invalidValue(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
    selected.add(key)
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys'
    errors.push(invalidValue(`${path}.matchLabelKeys[${index}]`, key, detail))
  }
  return errors
}
