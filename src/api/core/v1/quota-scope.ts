import { computePodQosClass } from './pod-qos.ts'
import type { Pod, ResourceQuotaSpec } from '../../types/core.v1.ts'

interface Scope {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[] | undefined
}

/** Whether a quota with these scopes counts the pod; a quota with scopes counts nothing but pods. */
export function inScope(spec: ResourceQuotaSpec, resource: string, object: unknown): boolean {
  const named = (spec.scopes ?? []).map((scopeName): Scope => ({ scopeName, operator: 'Exists' }))
  const scopes = [...named, ...((spec.scopeSelector?.matchExpressions ?? []) as readonly Scope[])]
  if (scopes.length === 0) return true
  return resource === 'pods' && scopes.every((scope) => podMatches(object as Pod, scope))
}

function podMatches({ spec }: Pod, { scopeName, operator, values }: Scope): boolean {
  const hasDeadline = spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0
  switch (scopeName) {
    case 'Terminating':
      return hasDeadline
    case 'NotTerminating':
      return !hasDeadline
    case 'BestEffort':
      return spec !== undefined && computePodQosClass(spec) === 'BestEffort'
    case 'NotBestEffort':
      return spec !== undefined && computePodQosClass(spec) !== 'BestEffort'
    case 'CrossNamespacePodAffinity':
      return spec !== undefined && reachesOtherNamespaces(spec)
    case 'PriorityClass':
      return priorityMatches(spec?.priorityClassName ?? '', operator, values ?? [])
    default:
      return false
  }
}

function priorityMatches(name: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return values.includes(name)
  if (operator === 'NotIn') return !values.includes(name)
  return operator === 'Exists' ? name !== '' : name === ''
}

function reachesOtherNamespaces({ affinity }: NonNullable<Pod['spec']>): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((part) => [
    ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ])
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined)
}
