import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidForEach, invalidValue, required, tooMany } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { DeviceClass, ResourceSlice } from '../../types/resource.v1.ts'
import { setTaintTimes } from './device-defaults.ts'

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
  cells: nameAndAge,
  deleteReturnsObject: true,
})

const maxDevices = 128

function validateSlice({ spec }: ResourceSlice): FieldError[] {
  const { driver, pool, nodeName, nodeSelector, allNodes, perDeviceNodeSelection, devices = [] } = spec
  const errors: FieldError[] = []
  if (driver === '') errors.push(required('spec.driver'))
  else errors.push(...invalidForEach('spec.driver', driver, dnsSubdomain(driver)))
  if (pool.name === '') errors.push(required('spec.pool.name'))
  if (pool.resourceSliceCount <= 0) {
    errors.push(invalidValue('spec.pool.resourceSliceCount', pool.resourceSliceCount, 'must be greater than zero'))
  }
  const places = [nodeName, nodeSelector, allNodes === true || undefined, perDeviceNodeSelection === true || undefined]
  if (places.filter((place) => place !== undefined).length !== 1) {
    const names = '`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`'
    errors.push(required('spec', `exactly one of ${names} is required`))
  }
  if (devices.length > maxDevices) errors.push(tooMany('spec.devices', devices.length, maxDevices))
  return errors
}

function validateSliceUpdate({ spec: now }: ResourceSlice, { spec: old }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = []
  if (now.pool.name !== old.pool.name) errors.push(invalidValue('spec.pool.name', now.pool.name, immutableField))
  if (now.driver !== old.driver) errors.push(invalidValue('spec.driver', now.driver, immutableField))
  if (now.nodeName !== old.nodeName) errors.push(invalidValue('spec.nodeName', now.nodeName ?? null, immutableField))
  return errors
}
