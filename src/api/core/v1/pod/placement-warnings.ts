import type { PodAffinity, PodSpec } from '../../../types/core.v1.ts'
import { labelDeprecation, nodeTermWarnings } from '../deprecated-node-labels.ts'

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferredName = 'preferredDuringSchedulingIgnoredDuringExecution'
const selectsNothing = 'a null labelSelector results in matching no pod'

/** Old names of labels by which nodes are chosen, and spreading that counts no pod. */
export function placementWarnings(spec: PodSpec, path: string): readonly string[] {
  const warnings: string[] = []
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const deprecation = labelDeprecation(key)
    if (deprecation !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${deprecation}`)
  }
  const { nodeAffinity } = spec.affinity ?? {}
  const at = `${path}.affinity.nodeAffinity`
  for (const [index, term] of (nodeAffinity?.[requiredName]?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...nodeTermWarnings(term, `${at}.${requiredName}.nodeSelectorTerms[${index}]`))
  }
  for (const [index, { preference }] of (nodeAffinity?.[preferredName] ?? []).entries()) {
    warnings.push(
      ...nodeTermWarnings(preference ?? {}, `${at}.${preferredName}[${index}].preference`, 'keys and values'),
    )
  }
  for (const [index, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const place = `${path}.topologySpreadConstraints[${index}]`
    const deprecation = labelDeprecation(topologyKey)
    if (deprecation !== undefined) warnings.push(`${place}.topologyKey: ${topologyKey} is ${deprecation}`)
    if (labelSelector === undefined) warnings.push(`${place}.labelSelector: ${selectsNothing}`)
  }
  return warnings
}

/** Terms that match no pod. */
export function affinityWarnings({ affinity }: PodSpec, path: string): readonly string[] {
  return [
    ...podTermWarnings(affinity?.podAffinity, `${path}.affinity.podAffinity`),
    ...podTermWarnings(affinity?.podAntiAffinity, `${path}.affinity.podAntiAffinity`),
  ]
}

function podTermWarnings(affinity: PodAffinity | undefined, path: string): readonly string[] {
  return [
    ...(affinity?.[requiredName] ?? []).flatMap(({ labelSelector }, index) =>
      labelSelector === undefined ? [`${path}.${requiredName}[${index}].labelSelector: ${selectsNothing}`] : [],
    ),
    ...(affinity?.[preferredName] ?? []).flatMap(({ podAffinityTerm }, index) =>
      podAffinityTerm?.labelSelector === undefined
        ? [`${path}.${preferredName}[${index}].podAffinityTerm.labelSelector: ${selectsNothing}`]
        : [],
    ),
  ]
}
