import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notFoundValue,
  required,
} from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import { compareQuantities, parseQuantity } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ResourceRequirements } from '../../types/core.v1.ts'

/** Names without a domain, or with one that belongs to Kubernetes. */
function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/')
}

function isHugePageResource(name: string): boolean {
  return name.startsWith('hugepages-')
}

/** Devices and the like: a domain of its own, counted in whole pieces, never overcommitted. */
function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false
  return qualifiedName(`requests.${name}`).length === 0
}

/** Whether a limit may be larger than the request. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePageResource(name)
}

/** The requests and limits of a container. `claimNames` are the pod's resource claims. */
export function validateResourceRequirements(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const { limits = {}, requests = {} } = resources ?? {}
  for (const [name, quantity] of Object.entries(limits)) {
    errors.push(...validateContainerResource(name, quantity, `${path}.limits[${name}]`))
  }
  for (const [name, quantity] of Object.entries(requests)) {
    errors.push(...validateContainerResource(name, quantity, `${path}.requests[${name}]`))
    errors.push(...validateRequestAgainstLimit(name, quantity, limits[name], path))
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
const standardResources = new Set([
  ...containerResources,
  ...countedObjects,
  'storage',
  'requests.storage',
  ...[...containerResources].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
])

/** Counted in pieces: objects in quotas, and devices. */
function comesInPieces(name: string): boolean {
  return countedObjects.has(name) || isExtendedResource(name)
}

export function isStandardResource(name: string): boolean {
  return standardResources.has(name) || isHugePageResource(name) || name.startsWith('requests.hugepages-')
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

function validateContainerResource(name: string, quantity: string, path: string): FieldError[] {
  return [...validateContainerResourceName(name, path), ...validateResourceQuantity(name, quantity, path)]
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

function validateHugePagesCompanion(named: Readonly<Record<string, string>>, path: string): FieldError[] {
  const names = Object.keys(named)
  if (!names.some(isHugePageResource) || names.includes('cpu') || names.includes('memory')) return []
  return [forbiddenField(path, 'HugePages require cpu or memory')]
}

function validateClaims(
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, { name, request }] of (resources?.claims ?? []).entries()) {
    const key = request === undefined || request === '' ? name : `${name}/${request}`
    if (name === '') errors.push(required(`${path}[${index}]`))
    else if (seen.has(name) || seen.has(key)) errors.push(duplicate(`${path}[${index}]`, key))
    else if (!claimNames.has(name)) errors.push(notFoundValue(`${path}[${index}]`, name))
    seen.add(key)
  }
  return errors
}
