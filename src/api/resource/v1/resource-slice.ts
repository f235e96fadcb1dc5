import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidForEach, invalidValue, required, tooLong } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { DeviceClass, ResourcePool, ResourceSlice } from '../../types/resource.v1.ts'
import { setTaintTimes } from './device-defaults.ts'
import { validateConfigs, validateSelectors } from './validate-device-parts.ts'
import { validateDevices } from './validate-device.ts'
import { validateDriverName } from '../../storage/v1/csi-driver.ts'

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  hasGeneration: true,
  prepareForCreate({ metadata, spec }) {
    for (const device of spec.devices ?? []) setTaintTimes(device.taints, metadata.creationTimestamp)
  },
  validate: validateSlice,
  validateUpdate: validateSliceUpdate,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.nodeName ?? '',
    spec.driver,
    spec.pool.name,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  selectableFields: ({ spec }) => ({ 'spec.nodeName': spec.nodeName ?? '', 'spec.driver': spec.driver }),
  deleteReturnsObject: true,
})

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  hasGeneration: true,
  validate: ({ spec }) => [
    ...validateSelectors(spec.selectors ?? [], 'spec.selectors'),
    ...validateConfigs(spec.config ?? [], 'spec.config'),
  ],
  cells: nameAndAge,
  deleteReturnsObject: true,
})

const maxPoolName = 253

function validateSlice({ spec }: ResourceSlice): FieldError[] {
  const { driver, pool, devices = [] } = spec
  return [
    ...validateDriverName(driver ?? '', 'spec.driver'),
    ...validatePool(pool, 'spec.pool'),
    ...validatePlace(spec, 'spec'),
    ...validateDevices(devices, 'spec.devices'),
  ]
}

/** Names of pools are paths of domains. */
function validatePool({ name, generation, resourceSliceCount }: ResourcePool, path: string): FieldError[] {
  const at = `${path}.name`
  const errors: FieldError[] = []
  if (!name) errors.push(required(at))
  else if (name.length > maxPoolName) errors.push(tooLong(at, maxPoolName))
  else errors.push(...name.split('/').flatMap((part) => invalidForEach(at, part, dnsSubdomain(part))))
  if (resourceSliceCount <= 0) {
    errors.push(invalidValue(`${path}.resourceSliceCount`, resourceSliceCount, 'must be greater than zero'))
  }
  if (generation < 0) {
    errors.push(invalidValue(`${path}.generation`, generation, 'must be greater than or equal to zero'))
  }
  return errors
}

/** Which nodes can reach the devices: said in one way. */
function validatePlace(spec: ResourceSlice['spec'], path: string): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const places = { nodeName, nodeSelector, allNodes, perDeviceNodeSelection }
  const given = Object.entries(places).filter(([, value]) => value !== undefined && value !== false)
  const errors: FieldError[] = []
  if (nodeName === '') {
    errors.push(invalidValue(`${path}.nodeName`, nodeName, 'must be either unset or set to a non-empty string'))
  } else if (nodeName !== undefined)
    errors.push(...invalidForEach(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName)))
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (places[field] !== false) continue
    errors.push(invalidValue(`${path}.${field}`, false, 'must be either unset or set to true'))
  }
  const names = '`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`'
  if (given.length === 0) errors.push(required(path, `exactly one of ${names} is required`))
  if (given.length > 1) {
    const shown = `{${given.map(([name]) => `\`${name}\``).join(', ')}}`
    errors.push(invalidValue(path, shown, `exactly one of ${names} is required, but multiple fields are set`))
  }
  return errors
}

function validateSliceUpdate({ spec: now }: ResourceSlice, { spec: old }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = []
  if (now.pool.name !== old.pool.name) errors.push(invalidValue('spec.pool.name', now.pool.name, immutableField))
  if (now.driver !== old.driver) errors.push(invalidValue('spec.driver', now.driver, immutableField))
  if (now.nodeName !== old.nodeName) errors.push(invalidValue('spec.nodeName', now.nodeName ?? null, immutableField))
  return errors
}
