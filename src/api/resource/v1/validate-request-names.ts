import { duplicate, invalidForEach, invalidValue, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { DeviceClaim } from '../../types/resource.v1.ts'
import { maxRequests } from './device-limits.ts'
import { requestNames } from './device-defaults.ts'

/** References to requests of a claim, each once. */
export function validateRequestNames(names: readonly string[], devices: DeviceClaim, path: string): FieldError[] {
  if (names.length > maxRequests) return [tooMany(path, names.length, maxRequests)]
  return names.flatMap((name, index) => [
    ...validateRequestName(name, devices, `${path}[${index}]`),
    ...(names.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : []),
  ])
}

const unknown = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** `request`, or `request/alternative`. */
export function validateRequestName(name: string, devices: DeviceClaim, path: string): FieldError[] {
  const parts = name.split('/')
  if (parts.length > 2) return [invalidValue(path, name, unknown)]
  const errors = parts.flatMap((part) => invalidForEach(path, part, dnsLabel(part)))
  return requestNames(devices).includes(name) ? errors : [...errors, invalidValue(path, name, unknown)]
}
