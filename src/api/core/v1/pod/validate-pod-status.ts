import { maxInt32, within } from '../../../meta/check-numbers.ts'
import {
  duplicate,
  forbiddenField,
  immutableField,
  invalidForEach,
  invalidValue,
  required,
} from '../../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateIp } from '../../../meta/validate-ip.ts'
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../../types/core.v1.ts'
import { validateStateTransitions } from './validate-container-states.ts'
import { validateAnnotationUpdate } from './validate-pod-update.ts'

/** What a report about a pod may say. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const { status = {} as PodStatus } = pod
  const before = old.status ?? ({} as PodStatus)
  const errors = [...validateAnnotationUpdate(pod, old), ...validateConditions(status, 'status.conditions')]
  errors.push(...validateNominatedNode(pod, old))
  if ((status.observedGeneration ?? 0) < 0) {
    errors.push(invalidValue('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer'))
  }
  if ((status.qosClass ?? '') !== (before.qosClass ?? '')) {
    errors.push(invalidValue('status.qosClass', status.qosClass ?? '', immutableField))
  }
  return [
    ...errors,
    ...validateStateTransitions(pod, old),
    ...validateClaimStatuses(pod, 'status.resourceClaimStatuses'),
    ...validateExtendedClaim(pod, 'status.extendedResourceClaimStatus'),
    ...validatePodIps(ipsOf(status.podIPs), ipsOf(before.podIPs)),
    ...validateHostIps(status, before),
    ...validateUsers(pod),
    ...validateNoHealth(status.ephemeralContainerStatuses, 'status.ephemeralContainerStatuses'),
  ]
}

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized'])

function validateConditions({ conditions }: PodStatus, path: string): FieldError[] {
  return (conditions ?? []).flatMap(({ type = '', observedGeneration = 0 }: Partial<PodCondition>, index) => {
    const at = `${path}[${index}]`
    const rule = 'must be a non-negative integer'
    const errors = observedGeneration < 0 ? [invalidValue(`${at}.observedGeneration`, observedGeneration, rule)] : []
    if (systemConditions.has(type)) return errors
    return [...errors, ...invalidForEach(`${at}.Type`, type, qualifiedName(type))]
  })
}

function validateNominatedNode({ status }: Pod, { spec, status: before }: Pod): FieldError[] {
  const path = 'status.nominatedNodeName'
  const name = status?.nominatedNodeName ?? ''
  if (name === '' || name === before?.nominatedNodeName) return []
  const errors = invalidForEach(path, name, dnsSubdomain(name))
  if ((spec.nodeName ?? '') === '') return errors
  return [...errors, forbiddenField(path, 'may not be set on pods that are already bound to a node')]
}

function validateClaimStatuses({ status, spec }: Pod, path: string): FieldError[] {
  const seen = new Set<string>()
  return (status?.resourceClaimStatuses ?? []).flatMap(({ name, resourceClaimName }, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = []
    if (spec.resourceClaims?.some((claim) => claim.name === name) !== true) {
      errors.push(invalidValue(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
    if (resourceClaimName === undefined) return errors
    return [...errors, ...invalidForEach(`${at}.resourceClaimName`, resourceClaimName, dnsSubdomain(resourceClaimName))]
  })
}

function validateExtendedClaim({ status, spec }: Pod, path: string): FieldError[] {
  const claim = status?.extendedResourceClaimStatus
  if (claim === undefined) return []
  const containers = new Map([...(spec.initContainers ?? []), ...spec.containers].map((one) => [one.name, one]))
  const errors: FieldError[] = []
  const at = `${path}.requestMappings`
  if ((claim.requestMappings ?? []).length === 0) errors.push(required(at, 'at least one request mapping is required'))
  const seen = new Set<string>()
  for (const [index, { containerName, resourceName, requestName }] of (claim.requestMappings ?? []).entries()) {
    const container = containers.get(containerName)
    if (container === undefined) {
      const detail = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      errors.push(invalidValue(`${at}[${index}].containerName`, containerName, detail))
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const lists = 'spec.initContainers.resources.requests or spec.containers.resources.requests'
      const detail = `must match the extended resource name of an entry in ${lists}`
      errors.push(invalidValue(`${at}[${index}].resourceName`, resourceName, detail))
    }
    errors.push(...invalidForEach(`${path}.requestName`, requestName, dnsLabel(requestName)))
    const key = JSON.stringify([containerName, resourceName, requestName])
    if (seen.has(key)) {
      for (const [field, value] of Object.entries({ containerName, resourceName, requestName })) {
        errors.push(duplicate(`${at}[${index}].${field}`, value))
      }
    }
    seen.add(key)
  }
  const name = claim.resourceClaimName
  if (name === undefined || name === '') return [...errors, required(`${path}.resourceClaimName`)]
  return [...errors, ...invalidForEach(`${path}.resourceClaimName`, name, dnsSubdomain(name))]
}

function ipsOf(entries: readonly { readonly ip?: string | undefined }[] | undefined): readonly string[] {
  return (entries ?? []).map(({ ip }) => ip ?? '')
}

function validatePodIps(ips: readonly string[], before: readonly string[]): FieldError[] {
  return [
    ...ips.flatMap((ip, index) => validateIp(ip, `status.podIPs[${index}]`, before)),
    ...validateFamilies(ips, 'status.podIPs'),
  ]
}

function validateHostIps({ hostIP = '', hostIPs }: PodStatus, before: PodStatus): FieldError[] {
  const ips = ipsOf(hostIPs)
  const [first] = ips
  if (first === undefined) return []
  const errors = first === hostIP ? [] : [invalidValue('status.hostIPs[0].ip', first, 'must be equal to `hostIP`')]
  return [
    ...errors,
    ...ips.flatMap((ip, index) => validateIp(ip, `status.hostIPs[${index}]`, ipsOf(before.hostIPs))),
    ...validateFamilies(ips, 'status.hostIPs'),
  ]
}

function validateFamilies(ips: readonly string[], path: string): FieldError[] {
  const families = new Set(ips.map((ip) => ip.includes(':')))
  if (ips.length < 2 || (ips.length === 2 && families.size === 2)) return []
  const shown = ips.map((ip) => ({ IP: ip }))
  return [invalidValue(path, shown, 'may specify no more than one IP for each IP family')]
}

const statusLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const

/** The user that a container's first process runs as. */
function validateUsers({ spec, status }: Pod): FieldError[] {
  return statusLists.flatMap((list) =>
    (status?.[list] ?? []).flatMap(({ user }, index) => {
      const path = `status.${list}[${index}].user.linux`
      if (user?.linux === undefined) return []
      if (spec.os?.name === 'windows') return [forbiddenField(path, 'cannot be set for a windows pod')]
      const { uid, gid, supplementalGroups } = user.linux
      return [
        ...within(uid, 0, maxInt32, `${path}.uid`),
        ...within(gid, 0, maxInt32, `${path}.gid`),
        ...(supplementalGroups ?? []).flatMap((group, at) =>
          within(group, 0, maxInt32, `${path}.supplementalGroups[${at}]`),
        ),
      ]
    }),
  )
}

/** Ephemeral containers have no resources whose health could be told. */
function validateNoHealth(statuses: readonly ContainerStatus[] | undefined, path: string): FieldError[] {
  return (statuses ?? []).flatMap(({ allocatedResourcesStatus }, index) =>
    (allocatedResourcesStatus ?? []).length === 0
      ? []
      : [forbiddenField(`${path}[${index}].allocatedResourcesStatus`, 'must not be specified in container status')],
  )
}
