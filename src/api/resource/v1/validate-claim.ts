import { duplicate, invalidForEach, invalidValue, notSupported, required, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../../types/resource.v1.ts'
import { maxAlternatives, maxConfigs, maxConstraints, maxRequests } from './device-limits.ts'
import { validateFullName } from './validate-device-names.ts'
import { validateConfigs, validateDeviceTolerations, validateSelectors } from './validate-device-parts.ts'
import { validateRequestNames } from './validate-request-names.ts'

/** The devices that a claim, or a template of claims, asks for. */
export function validateClaimSpec(spec: ResourceClaimSpec, path: string): FieldError[] {
  const devices = spec.devices ?? {}
  const { config = [] } = devices
  const at = `${path}.devices`
  return [
    ...validateRequests(devices.requests ?? [], `${at}.requests`),
    ...validateConstraints(devices, `${at}.constraints`),
    ...(config.length > maxConfigs
      ? []
      : config.flatMap(({ requests = [] }, index) =>
          validateRequestNames(requests, devices, `${at}.config[${index}].requests`),
        )),
    ...validateConfigs(config, `${at}.config`),
  ]
}

function validateRequests(requests: readonly DeviceRequest[], path: string): FieldError[] {
  if (requests.length > maxRequests) return [tooMany(path, requests.length, maxRequests)]
  const names = requests.map(({ name }) => name)
  return requests.flatMap((request, index) => {
    const errors = validateRequest(request, `${path}[${index}]`)
    return names.indexOf(request.name) < index ? [...errors, duplicate(`${path}[${index}].name`, request.name)] : errors
  })
}

function validateConstraints(devices: DeviceClaim, path: string): FieldError[] {
  const { constraints = [] } = devices
  if (constraints.length > maxConstraints) return [tooMany(path, constraints.length, maxConstraints)]
  return constraints.flatMap((constraint, index) => [
    ...validateRequestNames(constraint.requests ?? [], devices, `${path}[${index}].requests`),
    ...validateConstraint(constraint, `${path}[${index}]`),
  ])
}

function validateConstraint({ matchAttribute, distinctAttribute }: DeviceConstraint, path: string): FieldError[] {
  if (matchAttribute !== undefined) return validateFullName(matchAttribute, `${path}.matchAttribute`)
  if (distinctAttribute !== undefined) return validateFullName(distinctAttribute, `${path}.distinctAttribute`)
  // The words do not fit, but they are the ones that are known.
  const fields = 'exactly one of "matchAttribute" or "distinctAttribute"'
  return [required(path, `${fields} is required, but multiple fields are set`)]
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): FieldError[] {
  const errors = name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, dnsLabel(name))
  const fields = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly === undefined && firstAvailable.length === 0) return [...errors, required(path, fields)]
  if (exactly !== undefined && firstAvailable.length > 0) {
    return [...errors, invalidValue(path, null, `${fields}, but multiple fields are set`)]
  }
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, `${path}.exactly`)]
  return [...errors, ...validateAlternatives(firstAvailable, `${path}.firstAvailable`)]
}

function validateAlternatives(options: readonly DeviceSubRequest[], path: string): FieldError[] {
  if (options.length > maxAlternatives) return [tooMany(path, options.length, maxAlternatives)]
  const names = options.map(({ name }) => name)
  return options.flatMap((option, index) => {
    const at = `${path}[${index}]`
    const nameErrors =
      option.name === '' ? [required(`${at}.name`)] : invalidForEach(`${at}.name`, option.name, dnsLabel(option.name))
    const errors = [...nameErrors, ...validateExact(option, at)]
    return names.indexOf(option.name) < index ? [...errors, duplicate(`${at}.name`, option.name)] : errors
  })
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
