import { duplicate, invalidForEach, invalidValue, required, tooLong, tooMany } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateNodeSelector } from '../../core/v1/validate-node-selector.ts'
import type { Counter, CounterSet, Device, DeviceAttribute, ResourceSliceSpec } from '../../types/resource.v1.ts'
import { maxAttributes, maxDetailedDevicesOfSlice, maxDevicesOfSlice, maxTextLength } from './device-limits.ts'
import { validateCapacity } from './validate-capacity.ts'
import { shownKey, validateQualifiedName } from './validate-device-names.ts'
import { validateBinding, validateTaints } from './validate-device-parts.ts'

/** The devices of one slice: each with a name of its own and few attributes. */
export function validateDevices(spec: ResourceSliceSpec, path: string): FieldError[] {
  const { devices = [], perDeviceNodeSelection } = spec
  const isDetailed = devices.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length)
  const most = isDetailed ? maxDetailedDevicesOfSlice : maxDevicesOfSlice
  if (devices.length > most) return [tooMany(path, devices.length, most)]
  const names = devices.map(({ name }) => name)
  return devices.flatMap((device, index) => {
    const errors = [
      ...validateDevice(device, `${path}[${index}]`),
      ...validatePlace(device, perDeviceNodeSelection === true, `${path}[${index}]`),
      ...validateBinding(device, `${path}[${index}]`),
    ]
    return names.indexOf(device.name) < index ? [...errors, duplicate(`${path}[${index}].name`, device.name)] : errors
  })
}

function validateDevice(device: Device, path: string): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints, allowMultipleAllocations } = device
  const errors = name ? invalidForEach(`${path}.name`, name, dnsLabel(name)) : [required(`${path}.name`)]
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  if (count > maxAttributes) {
    const detail = `the total number of attributes and capacities must not exceed ${maxAttributes}`
    errors.push(invalidValue(path, count, detail))
  }
  for (const [key, attribute] of Object.entries(attributes)) {
    const at = `${path}.attributes[${shownKey(key)}]`
    errors.push(...validateQualifiedName(key, `${path}.attributes`), ...validateAttribute(attribute, at))
  }
  for (const [key, amount] of Object.entries(capacity)) {
    const at = `${path}.capacity[${shownKey(key)}]`
    errors.push(...validateQualifiedName(key, `${path}.capacity`))
    errors.push(...validateCapacity(amount, allowMultipleAllocations === true, at))
  }
  return [...errors, ...validateTaints(taints ?? [], `${path}.taints`), ...validateConsumption(device, path)]
}

const semver =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const { bool, int, string, version } = attribute
  const given = [bool, int, string, version].filter((value) => value !== undefined)
  if (given.length === 0) return [required(path, 'exactly one value must be specified')]
  const errors = string !== undefined && string.length > maxTextLength ? [tooLong(`${path}.string`, maxTextLength)] : []
  if (version !== undefined) {
    const detail = 'must be a string compatible with semver.org spec 2.0.0'
    if (!semver.test(version)) errors.push(invalidValue(`${path}.version`, version, detail))
    if (version.length > maxTextLength) errors.push(tooLong(`${path}.version`, maxTextLength))
  }
  return given.length === 1 ? errors : [...errors, invalidValue(path, attribute, 'exactly one value must be specified')]
}

const maxConsumptions = 2
const maxCounters = 32
const maxCounterSets = 8

/** What the device takes of the counters that its pool shares. */
function validateConsumption({ consumesCounters = [] }: Device, path: string): FieldError[] {
  const at = `${path}.consumesCounters`
  if (consumesCounters.length > maxConsumptions) return [tooMany(at, consumesCounters.length, maxConsumptions)]
  const sets = consumesCounters.map(({ counterSet }) => counterSet)
  return consumesCounters.flatMap(({ counterSet, counters }, index) => [
    ...validateCounters(counterSet, counters, `${at}[${index}]`, 'counterSet'),
    ...(sets.indexOf(counterSet) < index ? [duplicate(`${at}[${index}].counterSet`, counterSet)] : []),
  ])
}

/** The counters that devices of a pool share. */
export function validateCounterSets(sets: readonly CounterSet[], path: string): FieldError[] {
  if (sets.length > maxCounterSets) return [tooMany(path, sets.length, maxCounterSets)]
  const names = sets.map(({ name }) => name)
  return sets.flatMap(({ name, counters }, index) => [
    ...validateCounters(name, counters, `${path}[${index}]`, 'name'),
    ...(names.indexOf(name) < index ? [duplicate(`${path}[${index}].name`, name)] : []),
  ])
}

function validateCounters(
  set: string,
  counters: Readonly<Record<string, Counter>> | undefined,
  path: string,
  field: 'name' | 'counterSet',
): FieldError[] {
  const at = `${path}.${field}`
  const errors = set ? invalidForEach(at, set, dnsLabel(set)) : [required(at)]
  const names = Object.keys(counters ?? {})
  if (names.length === 0) return [...errors, required(`${path}.counters`)]
  if (names.length > maxCounters) return [...errors, tooMany(`${path}.counters`, names.length, maxCounters)]
  return [...errors, ...names.flatMap((name) => invalidForEach(`${path}.counters`, name, dnsLabel(name)))]
}

/** Which nodes reach the device is said of each device, or of the slice. */
function validatePlace(device: Device, isPerDevice: boolean, path: string): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device
  if (!isPerDevice) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return []
    const fields = '`nodeName`, `nodeSelector` and `allNodes` can only be set'
    return [
      invalidValue(path, null, `${fields} if \`perDeviceNodeSelection\` is set to true in the ResourceSlice spec`),
    ]
  }
  const errors: FieldError[] = []
  if (nodeName === '') errors.push(invalidValue(`${path}.nodeName`, nodeName, 'must not be empty'))
  else if (nodeName !== undefined) {
    errors.push(...invalidForEach(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName)))
  }
  if (nodeSelector !== undefined) errors.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`))
  if (allNodes === false) {
    errors.push(invalidValue(`${path}.allNodes`, false, 'must be either unset or set to true'))
  }
  const given = Object.entries({ nodeName, nodeSelector, allNodes }).filter(([, value]) => value)
  const when = 'is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  const detail = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` ${when}`
  if (given.length === 0) errors.push(required(path, detail))
  if (given.length > 1) {
    errors.push(invalidValue(path, `{${given.map(([name]) => `\`${name}\``).join(', ')}}`, detail))
  }
  return errors
}
