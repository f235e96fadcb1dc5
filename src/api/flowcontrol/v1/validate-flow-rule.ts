import { invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
  Subject,
} from '../../types/flowcontrol.v1.ts'

/** Whose requests, and which, a flow schema is for. */
export function validateFlowRule(
  { subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects,
  path: string,
): FieldError[] {
  const errors =
    (subjects ?? []).length === 0 ? [required(`${path}.subjects`, 'subjects must contain at least one value')] : []
  errors.push(...(subjects ?? []).flatMap((one, index) => validateSubject(one, `${path}.subjects[${index}]`)))
  if ((resourceRules ?? []).length === 0 && (nonResourceRules ?? []).length === 0) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  return [
    ...errors,
    ...(resourceRules ?? []).flatMap((rule, index) => validateResources(rule, `${path}.resourceRules[${index}]`)),
    ...(nonResourceRules ?? []).flatMap((rule, index) => validateUrls(rule, `${path}.nonResourceRules[${index}]`)),
  ]
}

const parts = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function validateSubject(subject: Subject, path: string): FieldError[] {
  if (!Object.hasOwn(parts, subject.kind)) {
    return [notSupported(`${path}.kind`, subject.kind, ['Group', 'ServiceAccount', 'User'])]
  }
  const part = parts[subject.kind as keyof typeof parts]
  const at = `${path}.${part}`
  if (subject[part] === undefined) {
    return [required(at, `${part} is required when subject kind is '${subject.kind}'`)]
  }
  if (part === 'serviceAccount') return validateAccount(subject.serviceAccount, at)
  return subject[part].name ? [] : [required(`${at}.name`)]
}

function validateAccount(account: ServiceAccountSubject | undefined, path: string): FieldError[] {
  const { name, namespace } = account ?? {}
  const errors = name ? [] : [required(`${path}.name`)]
  if (name && name !== '*') errors.push(...invalidForEach(`${path}.name`, name, dnsSubdomain(name)))
  if (!namespace) return [...errors, required(`${path}.namespace`, 'must specify namespace for service account')]
  return [...errors, ...invalidForEach(`${path}.namespace`, namespace, dnsLabel(namespace))]
}

const knownVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function validateVerbs(verbs: readonly string[], path: string): FieldError[] {
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')]
  if (verbs.includes('*')) return aloneStar(verbs, 'verbs', path)
  return verbs.every((verb) => knownVerbs.includes(verb)) ? [] : [notSupported(path, verbs, knownVerbs)]
}

/** `*` stands for all there are, and so alone. */
function aloneStar(list: readonly string[], noun: string, path: string): FieldError[] {
  if (list.length < 2 || !list.includes('*')) return []
  return [invalidValue(path, list, `if '*' is present, must not specify other ${noun}`)]
}

function validateResources(rule: ResourcePolicyRule, path: string): FieldError[] {
  const { verbs, apiGroups, resources, namespaces, clusterScope } = rule
  const list = (names: readonly string[], noun: string, missing: string, at: string): FieldError[] =>
    names.length === 0 ? [required(at, missing)] : aloneStar(names, noun, at)
  const groupsMissing = 'resource rules must supply at least one api group'
  const resourcesMissing = 'resource rules must supply at least one resource'
  const errors = [
    ...validateVerbs(verbs ?? [], `${path}.verbs`),
    ...list(apiGroups ?? [], 'api groups', groupsMissing, `${path}.apiGroups`),
    ...list(resources ?? [], 'resources', resourcesMissing, `${path}.resources`),
  ]
  const at = `${path}.namespaces`
  if ((namespaces ?? []).length === 0 && clusterScope !== true) {
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace'
    return [...errors, required(at, detail)]
  }
  if (namespaces?.includes('*') === true) return [...errors, ...aloneStar(namespaces, 'namespaces', at)]
  const wrong = (namespaces ?? []).flatMap((name, index) => invalidForEach(`${at}[${index}]`, name, dnsLabel(name)))
  return [...errors, ...wrong]
}

function validateUrls({ verbs, nonResourceURLs }: NonResourcePolicyRule, path: string): FieldError[] {
  const errors = validateVerbs(verbs ?? [], `${path}.verbs`)
  const urls = nonResourceURLs ?? []
  const at = `${path}.nonResourceURLs`
  if (urls.length === 0) return [...errors, required(at, 'nonResourceURLs must contain at least one value')]
  if (urls.includes('*')) return [...errors, ...aloneStar(urls, 'non-resource URLs', at)]
  return [...errors, ...urls.flatMap((url, index) => validateUrl(url, `${at}[${index}]`))]
}

function validateUrl(url: string, path: string): FieldError[] {
  const wrong = wrongUrl(url)
  return wrong === undefined ? [] : [invalidValue(path, url, wrong)]
}

function wrongUrl(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split('*').length - 1
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}
