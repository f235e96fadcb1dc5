import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notFoundValue,
  required,
} from '../../meta/field-errors.ts'
import { dnsLabel, qualifiedName } from '../../meta/names.ts'
import { compareQuantities, parseQuantity } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ResourceRequirements } from '../../types/core.v1.ts'

/** Names without a domain, or with one that belongs to Kubernetes. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/')
}

export function isHugePageResource(name: string): boolean {
  return name.startsWith('hugepages-')
}

/** Devices and the like: a domain of its own, counted in whole pieces, never overcommitted. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false
  return qualifiedName(`requests.${name}`).length === 0
}

/** Whether a limit may be larger than the request. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePageResource(name)
}

/** What is wrong with the name of a resource where it stands. */
export type ResourceNameRule = (name: string, path: string) => FieldError[]

/** Requests and limits. `claimNames` are the pod's resource claims; `nameRule` is that of containers unless told. */
export function validateResourceRequirements(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
  nameRule: ResourceNameRule = validateContainerResourceName,
): FieldError[] {
  const errors: FieldError[] = []
  const { limits = {}, requests = {} } = resources ?? {}
  for (const [name, quantity] of Object.entries(limits)) {
    const at = `${path}.limits[${name}]`
    errors.push(...nameRule(name, at), ...validateResourceQuantity(name, quantity, at))
    errors.push(...validateWholePages(name, quantity, at))
  }
  for (const [name, quantity] of Object.entries(requests)) {
    const at = `${path}.requests[${name}]`
    errors.push(...nameRule(name, at), ...validateResourceQuantity(name, quantity, at))
    errors.push(...validateRequestAgainstLimit(name, quantity, limits[name], path))
    errors.push(...validateWholePages(name, quantity, at))
  }
  errors.push(...validateHugePagesCompanion({ ...limits, ...requests }, path))
  return [...errors, ...validateClaims(resources, claimNames, `${path}.claims`)]
}

/** A quantity of a resource: not negative, whole for what comes in pieces. */
export function validateResourceQuantity(name: string, quantity: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (compareQuantities(quantity, '0') < 0) {
    errors.push(invalidValue(path, quantity, 'must be greater than or equal to 0'))
  }
  if (comesInPieces(name) && parseQuantity(quantity).nanos % 1_000_000_000n !== 0n) {
    errors.push(invalidValue(path, quantity, 'must be an integer'))
  }
  return errors
}

/** A resource name: qualified, and well known where it has no domain. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const errors = invalidForEach(path, name, qualifiedName(name))
  if (errors.length > 0 || name.includes('/') || isStandardResource(name)) return errors
  return [invalidValue(path, name, 'must be a standard resource type or fully qualified')]
}

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage'])
const countedObjects = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])
const quotaResources = new Set([
  ...containerResources,
  ...countedObjects,
  'requests.storage',
  ...[...containerResources].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
])

/** Counted in pieces: objects in quotas, and devices. */
function comesInPieces(name: string): boolean {
  return countedObjects.has(name) || isExtendedResource(name)
}

function isStandardResource(name: string): boolean {
  return quotaResources.has(name) || name === 'storage' || isHugePageResource(name) || isRequestedPages(name)
}

/** What a quota may limit without naming a domain. */
export function isStandardQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isHugePageResource(name) || isRequestedPages(name)
}

function isRequestedPages(name: string): boolean {
  return name.startsWith('requests.hugepages-')
}

export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path)
  if (name.includes('/')) {
    if (!isNativeResource(name) && !isExtendedResource(name)) {
      errors.push(invalidValue(path, name, "doesn't follow extended resource name standard"))
    }
  } else if (!containerResources.has(name) && !isHugePageResource(name)) {
    errors.push(invalidValue(path, name, 'must be a standard resource for containers'))
  }
  return errors
}

function validateRequestAgainstLimit(
  name: string,
  request: string,
  limit: string | undefined,
  path: string,
): FieldError[] {
  const overcommit = isOvercommitAllowed(name)
  if (limit === undefined) {
    return overcommit ? [] : [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')]
  }
  const order = compareQuantities(request, limit)
  if (order !== 0 && !overcommit) {
    return [invalidValue(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`)]
  }
  if (order <= 0) return []
  return [invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)]
}

/** Huge pages are asked for in whole pages, whose size the name tells. */
function validateWholePages(name: string, quantity: string, path: string): FieldError[] {
  if (!isHugePageResource(name) || isMultiple(quantity, name.slice('hugepages-'.length))) return []
  return [invalidValue(path, quantity, `${quantity} is not positive integer multiple of ${name}`)]
}

function isMultiple(quantity: string, pageSize: string): boolean {
  try {
    const size = parseQuantity(pageSize).nanos
    return size > 0n && size % 1_000_000_000n === 0n && parseQuantity(quantity).nanos % size === 0n
  } catch {
    return false
  }
}

function validateHugePagesCompanion(named: Readonly<Record<string, string>>, path: string): FieldError[] {
  const names = Object.keys(named)
  if (!names.some(isHugePageResource) || names.includes('cpu') || names.includes('memory')) return []
  return [forbiddenField(path, 'HugePages require cpu or memory')]
}

/** Each claim, or each request of one, is named once. */
function validateClaims(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  return (resources?.claims ?? []).flatMap(({ name, request = '' }, index) => {
    const at = `${path}[${index}]`
    if (name === '') return [required(at)]
    const errors: FieldError[] = []
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      const key = request === '' ? name : `${name}/${request}`
      if (request !== '') errors.push(...invalidForEach(`${at}.request`, request, dnsLabel(request)))
      if (seen.has(key)) errors.push(duplicate(at, key))
      else if (request === '') {
        for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(at, name))
      }
      seen.add(key)
    }
    if (claimNames.has(name)) return errors
    const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].sort().join(', ')}`
    return [...errors, notFoundValue(at, name, `must be one of the names in pod.spec.resourceClaims${known}`)]
  })
}
