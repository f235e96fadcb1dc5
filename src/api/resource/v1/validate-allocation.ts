import { invalidForEach, notSupported, required, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateNodeSelector } from '../../core/v1/validate-node-selector.ts'
import { validateDriverName } from '../../storage/v1/csi-driver.ts'
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClaim,
  DeviceRequestAllocationResult,
} from '../../types/resource.v1.ts'
import { maxConfigs, maxResults } from './device-limits.ts'
import { validatePoolName } from './validate-device-names.ts'
import { validateBinding, validateConfigs, validateDeviceTolerations } from './validate-device-parts.ts'
import { validateRequestName, validateRequestNames } from './validate-request-names.ts'
import { validateUid } from './validate-uid.ts'

/** The devices that a claim is given: for requests that it makes. */
export function validateAllocation(allocation: AllocationResult, claim: DeviceClaim, path: string): FieldError[] {
  const { results = [], config = [] } = allocation.devices ?? {}
  const { nodeSelector } = allocation
  return [
    ...(results.length > maxResults
      ? [tooMany(`${path}.devices.results`, results.length, maxResults)]
      : results.flatMap((result, index) => validateResult(result, claim, `${path}.devices.results[${index}]`))),
    ...validateConfig(config, claim, `${path}.devices.config`),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, `${path}.nodeSelector`)),
  ]
}

function validateResult(result: DeviceRequestAllocationResult, claim: DeviceClaim, path: string): FieldError[] {
  const { request, driver, pool, device, tolerations = [], shareID } = result
  return [
    ...validateRequestName(request, claim, `${path}.request`),
    ...validateDriverName(driver ?? '', `${path}.driver`),
    ...validatePoolName(pool, `${path}.pool`),
    ...invalidForEach(`${path}.device`, device, dnsLabel(device)),
    ...validateBinding(result, path),
    ...validateDeviceTolerations(tolerations, `${path}.tolerations`),
    ...(shareID === undefined ? [] : validateUid(shareID, `${path}.shareID`)),
  ]
}

const sources = ['FromClaim', 'FromClass']

/** Configurations of the claim and of its classes. */
function validateConfig(
  config: readonly DeviceAllocationConfiguration[],
  claim: DeviceClaim,
  path: string,
): FieldError[] {
  const most = 2 * maxConfigs
  if (config.length > most) return [tooMany(path, config.length, most)]
  const errors = config.flatMap(({ source, requests = [] }, index) => [
    ...(source === ('' as string)
      ? [required(`${path}[${index}].source`)]
      : sources.includes(source)
        ? []
        : [notSupported(`${path}[${index}].source`, source, sources)]),
    ...validateRequestNames(requests, claim, `${path}[${index}].requests`),
  ])
  return [...errors, ...validateConfigs(config, path, most)]
}
