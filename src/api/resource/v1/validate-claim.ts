import { duplicate, invalidForEach, invalidValue, notSupported, required, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { DeviceRequest, DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '../../types/resource.v1.ts'
import { requestNames } from './device-defaults.ts'
import {
  validateAttributeName,
  validateConfigs,
  validateDeviceTolerations,
  validateSelectors,
} from './validate-device-parts.ts'

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
    const own = `${at}.constraints[${index}]`
    errors.push(...validateRequestNames(constraint.requests ?? [], known, `${own}.requests`))
    const { matchAttribute, distinctAttribute } = constraint
    if (matchAttribute !== undefined) errors.push(...validateAttributeName(matchAttribute, `${own}.matchAttribute`))
    else if (distinctAttribute === undefined) errors.push(required(`${own}.matchAttribute`))
  }
  const config = spec.devices?.config ?? []
  for (const [index, { requests: named }] of config.entries()) {
    errors.push(...validateRequestNames(named ?? [], known, `${at}.config[${index}].requests`))
  }
  return [...errors, ...validateConfigs(config, `${at}.config`)]
}

function validateRequestNames(names: readonly string[], known: readonly string[], path: string): FieldError[] {
  const detail = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  return names.flatMap((name, index) => [
    ...(known.includes(name) ? [] : [invalidValue(`${path}[${index}]`, name, detail)]),
    ...(names.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : []),
  ])
}

const maxOptions = 8

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
  if (firstAvailable.length > maxOptions) {
    errors.push(tooMany(`${path}.firstAvailable`, firstAvailable.length, maxOptions))
  }
  const names = firstAvailable.map((option) => option.name)
  for (const [index, option] of firstAvailable.entries()) {
    const at = `${path}.firstAvailable[${index}]`
    if (names.indexOf(option.name) < index) errors.push(duplicate(`${at}.name`, option.name))
    errors.push(...invalidForEach(`${at}.name`, option.name, dnsLabel(option.name)), ...validateExact(option, at))
  }
  return errors
}

function validateExact(request: ExactDeviceRequest | DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName, allocationMode, count = 0 } = request
  const errors: FieldError[] = []
  if (deviceClassName === '') errors.push(required(`${path}.deviceClassName`))
  else errors.push(...invalidForEach(`${path}.deviceClassName`, deviceClassName, dnsSubdomain(deviceClassName)))
  errors.push(...validateSelectors(request.selectors ?? [], `${path}.selectors`))
  if (allocationMode === 'All') {
    if (count !== 0) {
      errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
    }
  } else if (allocationMode !== 'ExactCount') {
    errors.push(notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']))
  } else if (count <= 0) errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  return [...errors, ...validateDeviceTolerations(request.tolerations ?? [], `${path}.tolerations`)]
}
