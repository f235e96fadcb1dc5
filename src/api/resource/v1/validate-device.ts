import { duplicate, invalidForEach, invalidValue, required, tooLong, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel, qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Device, DeviceAttribute } from '../../types/resource.v1.ts'
import { validateTaints } from './validate-device-parts.ts'

const maxDevices = 128
const maxAttributes = 32
const maxTextLength = 64

/** The devices of one slice: each with a name of its own and few attributes. */
export function validateDevices(devices: readonly Device[], path: string): FieldError[] {
  if (devices.length > maxDevices) return [tooMany(path, devices.length, maxDevices)]
  const names = devices.map(({ name }) => name)
  return devices.flatMap((device, index) => {
    const errors = validateDevice(device, `${path}[${index}]`)
    return names.indexOf(device.name) < index ? [...errors, duplicate(`${path}[${index}].name`, device.name)] : errors
  })
}

function validateDevice({ name, attributes, capacity, taints }: Device, path: string): FieldError[] {
  const errors = name ? invalidForEach(`${path}.name`, name, dnsLabel(name)) : [required(`${path}.name`)]
  const count = Object.keys(attributes ?? {}).length + Object.keys(capacity ?? {}).length
  if (count > maxAttributes) {
    const detail = `the total number of attributes and capacities must not exceed ${maxAttributes}`
    errors.push(invalidValue(path, count, detail))
  }
  for (const [key, attribute] of Object.entries(attributes ?? {})) {
    const at = `${path}.attributes[${key}]`
    errors.push(...invalidForEach(at, key, qualifiedName(key)), ...validateAttribute(attribute, at))
  }
  for (const key of Object.keys(capacity ?? {})) {
    errors.push(...invalidForEach(`${path}.capacity[${key}]`, key, qualifiedName(key)))
  }
  return [...errors, ...validateTaints(taints ?? [], `${path}.taints`)]
}

const semver =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const { bool, int, string, version } = attribute
  const given = [bool, int, string, version].filter((value) => value !== undefined)
  if (given.length === 0) return [required(path, 'exactly one value must be specified')]
  if (given.length > 1) return [invalidValue(path, attribute, 'exactly one value must be specified')]
  if (string !== undefined && string.length > maxTextLength) return [tooLong(`${path}.string`, maxTextLength)]
  if (version === undefined) return []
  if (version.length > maxTextLength) return [tooLong(`${path}.version`, maxTextLength)]
  const detail = 'must be a string compatible with semver.org spec 2.0.0'
  return semver.test(version) ? [] : [invalidValue(`${path}.version`, version, detail)]
}
