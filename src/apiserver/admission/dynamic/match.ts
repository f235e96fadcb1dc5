import { matcherOf } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { MatchResources, NamedRuleWithOperations } from '#api/types/admissionregistration.v1.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import { namespaces } from '#api/types/resources.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'

/** What a policy, a binding or a webhook says about the requests it wants. */
export interface Matching extends Pick<MatchResources, 'namespaceSelector' | 'objectSelector' | 'matchPolicy'> {
  /** None: all resources. */
  readonly rules: readonly NamedRuleWithOperations[] | undefined
  readonly excluded?: readonly NamedRuleWithOperations[] | undefined
}

export function matchingOf({ resourceRules, excludeResourceRules, ...rest }: MatchResources): Matching {
  const rules = resourceRules === undefined || resourceRules.length === 0 ? undefined : resourceRules
  return { ...rest, rules, excluded: excludeResourceRules }
}

/** Whether a request is one of those that are wanted (Kubernetes docs, "Dynamic Admission Control: Matching requests"). */
export function isWanted(matching: Matching, request: AdmissionRequest, context: AdmissionContext): boolean {
  const fits = (rule: NamedRuleWithOperations): boolean => matchesRule(rule, matching, request, context)
  if (matching.rules !== undefined && !matching.rules.some(fits)) return false
  if (matching.excluded?.some(fits) === true) return false
  return (
    matchesNamespace(matching.namespaceSelector, request, context) && matchesObject(matching.objectSelector, request)
  )
}

function matchesRule(
  rule: NamedRuleWithOperations,
  { matchPolicy }: Matching,
  request: AdmissionRequest,
  { resources }: AdmissionContext,
): boolean {
  const { info, operation } = request
  const { operations = [], apiGroups = [], apiVersions = [], resourceNames = [], scope = '*' } = rule
  if (!includes(operations, operation) || !includes(apiGroups, info.group)) return false
  // The same resource in another version is meant too, unless the author wants the very version.
  const isOtherVersion = (version: string): boolean => resources?.find(info.group, version, info.resource) !== undefined
  const fitsVersion =
    includes(apiVersions, info.version) || (matchPolicy !== 'Exact' && apiVersions.some(isOtherVersion))
  if (!fitsVersion || !matchesResource(rule.resources ?? [], info)) return false
  if (resourceNames.length > 0 && !resourceNames.includes(nameOf(request))) return false
  if (scope === '*') return true
  const isNamespaced = info.namespace !== '' && info.resource !== 'namespaces'
  return isNamespaced === (scope === 'Namespaced')
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value)
}

function matchesResource(wanted: readonly string[], { resource, subresource }: AdmissionRequest['info']): boolean {
  return wanted.some((each) => {
    const [name = '', below = ''] = each.split('/')
    if (name !== '*' && name !== resource) return false
    return below === '*' || below === subresource
  })
}

export function nameOf({ object, info }: AdmissionRequest): string {
  return object?.metadata.name || info.name
}

/** Objects outside namespaces match any selector; a namespace is its own. */
function matchesNamespace(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
): boolean {
  const matcher = matcherOf(selector ?? {})
  if (matcher.requirements.length === 0) return true
  const namespace = namespaceOf(request, context)
  return namespace === undefined || matcher.matches(namespace.metadata.labels)
}

/** The namespace that a request is about; undefined outside namespaces. */
export function namespaceOf(
  { info, object, oldObject }: AdmissionRequest,
  { reader }: AdmissionContext,
): KubernetesObject | undefined {
  if (info.group === '' && info.resource === 'namespaces') return (object as KubernetesObject | undefined) ?? oldObject
  return info.namespace === '' ? undefined : reader.get(namespaces, info.namespace)
}

function matchesObject(selector: LabelSelector | undefined, { object, oldObject }: AdmissionRequest): boolean {
  const matcher = matcherOf(selector ?? {})
  if (matcher.requirements.length === 0) return true
  return [object, oldObject].some((each) => each !== undefined && matcher.matches(each.metadata.labels))
}
