import { invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { qualifiedName } from '../../../meta/names.ts'
import { canonicalQuantity, compareQuantities } from '../../../meta/quantity.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { ObjectFieldSelector, ResourceFieldSelector } from '../../../types/core.v1.ts'

/** Fields of a pod that a file of a volume may show. */
export const volumeFields: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

const knownFields: ReadonlySet<string> = new Set([
  ...volumeFields,
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.phase',
  'status.podIP',
  'status.podIPs',
])

/** A reference to a field of the pod; `allowed` lists the fields the place can show. */
export function validateFieldRef(ref: ObjectFieldSelector, allowed: readonly string[], path: string): FieldError[] {
  const { apiVersion = '', fieldPath = '' } = ref as Partial<ObjectFieldSelector>
  if (apiVersion === '') return [required(`${path}.apiVersion`)]
  if (fieldPath === '') return [required(`${path}.fieldPath`)]
  const refused = (why: string): FieldError[] => [
    invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`),
  ]
  if (apiVersion !== 'v1') return refused(`unsupported pod version: ${apiVersion}`)
  const [, base, subscript = ''] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? []
  if (base !== undefined) return validateSubscript(base, subscript, path, refused)
  // Older clients name the node so.
  const shown = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath
  if (!knownFields.has(shown)) return refused(`field label not supported: ${fieldPath}`)
  return allowed.includes(shown) ? [] : [notSupported(`${path}.fieldPath`, shown, allowed)]
}

function validateSubscript(
  base: string,
  subscript: string,
  path: string,
  refused: (why: string) => FieldError[],
): FieldError[] {
  if (base === 'metadata.annotations') {
    const key = subscript.toLowerCase()
    return invalidForEach(path, key, qualifiedName(key))
  }
  if (base === 'metadata.labels') return invalidForEach(path, subscript, qualifiedName(subscript))
  return refused(`field label does not support subscript: ${base}['${subscript}']`)
}

const containerResourceFields: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

/** A reference to a container's request or limit; in a volume it must name the container. */
export function validateResourceFieldRef(ref: ResourceFieldSelector, inVolume: boolean, path: string): FieldError[] {
  const { resource = '', containerName = '', divisor } = ref as Partial<ResourceFieldSelector>
  return [
    ...validateResource(resource, inVolume && containerName === '', path),
    ...validateDivisor(resource, divisor, path),
  ]
}

const hugePages = /^(requests|limits)\.hugepages-/

function validateResource(resource: string, lacksContainer: boolean, path: string): FieldError[] {
  if (lacksContainer) return [required(`${path}.containerName`)]
  if (resource === '') return [required(`${path}.resource`)]
  if (containerResourceFields.includes(resource) || hugePages.test(resource)) return []
  return [notSupported(`${path}.resource`, resource, containerResourceFields)]
}

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const resourceNouns: Readonly<Record<string, string>> = {
  memory: 'memory',
  'ephemeral-storage': 'local ephemeral storage',
}

/** The message names the resource, not the divisor. */
function validateDivisor(resource: string, divisor: string | undefined, path: string): FieldError[] {
  if (divisor === undefined || compareQuantities(divisor, '0') === 0) return []
  const given = canonicalQuantity(divisor)
  const at = `${path}.divisor`
  if (resource === 'limits.cpu' || resource === 'requests.cpu') {
    if (given === '1m' || given === '1') return []
    return [invalidValue(at, resource, "only divisor's values 1m and 1 are supported with the cpu resource")]
  }
  const name = /^(?:requests|limits)\.(.+)$/.exec(resource)?.[1] ?? ''
  const noun = hugePages.test(resource) ? 'hugepages' : resourceNouns[name]
  if (noun === undefined || byteDivisors.includes(given)) return []
  const detail = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${noun} resource`
  return [invalidValue(at, resource, detail)]
}
