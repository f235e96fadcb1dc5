import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateNodeSelector } from '../../core/v1/validate-node-selector.ts'
import type { Draft } from '../../kind.ts'
import type { ResourcePool, ResourceSlice } from '../../types/resource.v1.ts'
import { setTaintTimes } from './device-defaults.ts'
import { validatePoolName } from './validate-device-names.ts'
import { validateCounterSets, validateDevices } from './validate-device.ts'
import { validateDriverName } from '../../storage/v1/csi-driver.ts'

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  hasGeneration: true,
  prepareForCreate({ metadata, spec }) {
    dropDisabledFields(spec)
    for (const device of spec.devices ?? []) setTaintTimes(device.taints, metadata.creationTimestamp)
  },
  prepareForUpdate: ({ spec }) => dropDisabledFields(spec),
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

function validateSlice({ spec }: ResourceSlice): FieldError[] {
  const { driver, pool, devices, sharedCounters } = spec
  const isBoth = sharedCounters !== undefined && devices !== undefined
  return [
    ...validateDriverName(driver ?? '', 'spec.driver'),
    ...validatePool(pool, 'spec.pool'),
    ...validatePlace(spec, 'spec'),
    ...(isBoth ? [invalidValue('spec', '', 'only one of `sharedCounters` or `devices` is allowed')] : []),
    ...validateDevices(spec, 'spec.devices'),
    ...validateCounterSets(sharedCounters ?? [], 'spec.sharedCounters'),
  ]
}

function validatePool({ name, generation, resourceSliceCount }: ResourcePool, path: string): FieldError[] {
  const errors = validatePoolName(name, `${path}.name`)
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
  const given = Object.entries(places).filter(([, value]) => value)
  const errors: FieldError[] = []
  if (nodeName === '') {
    errors.push(invalidValue(`${path}.nodeName`, nodeName, 'must be either unset or set to a non-empty string'))
  } else if (nodeName !== undefined) {
    errors.push(...invalidForEach(`${path}.nodeName`, nodeName, dnsSubdomain(nodeName)))
  }
  if (nodeSelector !== undefined) {
    const terms = nodeSelector.nodeSelectorTerms ?? []
    errors.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`))
    // Selectors of several slices are merged, which more terms would make hard.
    const at = `${path}.nodeSelector.nodeSelectorTerms`
    if (terms.length !== 1) errors.push(invalidValue(at, terms, 'must have exactly one node selector term'))
  }
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

/** Fields of features that this version of Kubernetes keeps switched off: it takes them and forgets them. */
function dropDisabledFields({ devices = [] }: Draft<ResourceSlice>['spec']): void {
  for (const device of devices) {
    delete device.nodeAllocatableResourceMappings
    for (const attribute of Object.values(device.attributes ?? {})) {
      delete attribute.bools
      delete attribute.ints
      delete attribute.strings
      delete attribute.versions
    }
  }
}
