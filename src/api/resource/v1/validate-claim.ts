import { duplicate, invalidForEach, invalidValue, notSupported, required, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { DeviceRequest, DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '../../types/resource.v1.ts'
import { requestNames } from './device-defaults.ts'

const maxRequests = 32

/** The devices that a claim, or a template of claims, asks for. */
export function validateClaimSpec(spec: ResourceClaimSpec, path: string): FieldError[] {
  const { requests = [], constraints = [] } = spec.devices ?? {}
  const at = `${path}.devices`
  const errors: FieldError[] = []
  if (requests.length > maxRequests) errors.push(tooMany(`${at}.requests`, requests.length, maxRequests))
  const names = new Set<string>()
  for (const [index, request] of requests.entries()) {
    const own = `${at}.requests[${index}]`
    errors.push(...validateRequest(request, own))
    if (names.has(request.name)) errors.push(duplicate(`${own}.name`, request.name))
    names.add(request.name)
  }
  const known = requestNames(spec.devices)
  for (const [index, constraint] of constraints.entries()) {
    for (const [nameIndex, name] of (constraint.requests ?? []).entries()) {
      if (known.includes(name)) continue
      const detail = 'must be the name of a request in the claim'
      errors.push(invalidValue(`${at}.constraints[${index}].requests[${nameIndex}]`, name, detail))
    }
  }
  return errors
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): FieldError[] {
  const errors = name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, dnsLabel(name))
  if (exactly === undefined && firstAvailable.length === 0) {
    return [...errors, required(path, 'exactly one of `exactly` or `firstAvailable` is required')]
  }
  if (exactly !== undefined && firstAvailable.length > 0) {
    errors.push(
      invalidValue(path, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'),
    )
  }
  if (exactly !== undefined) errors.push(...validateExact(exactly, `${path}.exactly`))
  for (const [index, option] of firstAvailable.entries()) {
    const at = `${path}.firstAvailable[${index}]`
    errors.push(...invalidForEach(`${at}.name`, option.name, dnsLabel(option.name)), ...validateExact(option, at))
  }
  return errors
}

function validateExact(request: ExactDeviceRequest | DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName, allocationMode, count = 0 } = request
  const errors: FieldError[] = []
  if (deviceClassName === '') errors.push(required(`${path}.deviceClassName`))
  else errors.push(...invalidForEach(`${path}.deviceClassName`, deviceClassName, dnsSubdomain(deviceClassName)))
  if (allocationMode === 'All') {
    if (count !== 0) {
      errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
    }
  } else if (allocationMode !== 'ExactCount') {
    errors.push(notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']))
  } else if (count <= 0) errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  return errors
}
