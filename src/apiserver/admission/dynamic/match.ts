import { matcherOf } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { MatchResources, NamedRuleWithOperations } from '#api/types/admissionregistration.v1.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import { namespaces } from '#api/types/resources.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
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

/** How a request is wanted: as it is, or with its objects in the version that a rule names. */
export interface Wanted {
  readonly other: ServedResource | undefined
}

/** Whether a request is one of those that are wanted (Kubernetes docs, "Dynamic Admission Control: Matching requests"). */
export function wantedAs(matching: Matching, request: AdmissionRequest, context: AdmissionContext): Wanted | undefined {
  const wanted = matching.rules === undefined ? asItIs : matchRules(matching.rules, matching, request, context)
  if (wanted === undefined) return undefined
  if (matchRules(matching.excluded ?? [], matching, request, context) !== undefined) return undefined
  const fits =
    matchesNamespace(matching.namespaceSelector, request, context) && matchesObject(matching.objectSelector, request)
  return fits ? wanted : undefined
}

const asItIs: Wanted = { other: undefined }

/** The first rule that names the request; else, unless the author wants the very version, one that names it in another. */
function matchRules(
  rules: readonly NamedRuleWithOperations[],
  { matchPolicy }: Matching,
  request: AdmissionRequest,
  { resources }: AdmissionContext,
): Wanted | undefined {
  const { info } = request
  if (rules.some((rule) => matchesRule(rule, request, info))) return asItIs
  if (matchPolicy === 'Exact' || resources === undefined) return undefined
  const own = resources.find(info.group, info.version, info.resource)
  if (own === undefined) return undefined
  for (const other of resources.sameStorage(own)) {
    const place = { group: other.group, version: other.version, resource: other.plural }
    if (rules.some((rule) => matchesRule(rule, request, place))) return { other }
  }
  return undefined
}

interface Place {
  readonly group: string
  readonly version: string
  readonly resource: string
}

function matchesRule(
  rule: NamedRuleWithOperations,
  request: AdmissionRequest,
  { group, version, resource }: Place,
): boolean {
  const { info, operation } = request
  const { operations = [], apiGroups = [], apiVersions = [], resourceNames = [], scope = '*' } = rule
  if (!includes(operations, operation) || !includes(apiGroups, group) || !includes(apiVersions, version)) return false
  if (!matchesResource(rule.resources ?? [], { resource, subresource: info.subresource })) return false
  if (resourceNames.length > 0 && !resourceNames.includes(nameOf(request))) return false
  if (scope === '*') return true
  const isNamespaced = info.namespace !== '' && info.resource !== 'namespaces'
  return isNamespaced === (scope === 'Namespaced')
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value)
}

function matchesResource(
  wanted: readonly string[],
  { resource, subresource }: Pick<AdmissionRequest['info'], 'resource' | 'subresource'>,
): boolean {
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
