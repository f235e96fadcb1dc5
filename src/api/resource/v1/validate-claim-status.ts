import { deepEqual } from '../../meta/deep-equal.ts'
import {
  duplicate,
  forbiddenField,
  immutableField,
  invalidForEach,
  invalidValue,
  required,
  tooLong,
  tooMany,
} from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateConditions } from '../../meta/validate-conditions.ts'
import { validateInterfaceAddress } from '../../meta/validate-ip.ts'
import { validateDriverName } from '../../storage/v1/csi-driver.ts'
import type {
  AllocatedDeviceStatus,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
} from '../../types/resource.v1.ts'
import { allocatedIds, sharedDeviceId } from './device-ids.ts'
import { maxConsumers } from './device-limits.ts'
import { validateAllocation } from './validate-allocation.ts'
import { validatePoolName } from './validate-device-names.ts'
import { validateOpaque } from './validate-device-parts.ts'
import { validateUid } from './validate-uid.ts'

/** What schedulers, controllers and drivers say of a claim: they cannot take back what others rely on. */
export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const status = claim.status ?? {}
  const { allocation } = status
  const before = old.status?.allocation
  const errors = [
    ...validateConsumers(status.reservedFor ?? [], 'status.reservedFor'),
    ...validateDevices(status, 'status.devices'),
    ...validateReservation(claim, old, 'status.reservedFor'),
  ]
  if (allocation === undefined) return errors
  if (before === undefined) {
    return [...errors, ...validateAllocation(allocation, claim.spec.devices ?? {}, 'status.allocation')]
  }
  return deepEqual(allocation, before)
    ? errors
    : [...errors, invalidValue('status.allocation', allocation, immutableField)]
}

function validateConsumers(consumers: readonly ResourceClaimConsumerReference[], path: string): FieldError[] {
  if (consumers.length > maxConsumers) return [tooMany(path, consumers.length, maxConsumers)]
  const uids = new Set<string>()
  return consumers.flatMap((consumer, index) => {
    const at = `${path}[${index}]`
    const missing = (['resource', 'name', 'uid'] as const).filter((field) => !consumer[field])
    const errors = missing.map((field) => required(`${at}.${field}`))
    if (uids.has(consumer.uid)) errors.push(duplicate(`${at}.uid`, consumer.uid))
    uids.add(consumer.uid)
    return errors
  })
}

function validateReservation({ metadata, status }: ResourceClaim, old: ResourceClaim, path: string): FieldError[] {
  const consumers = status?.reservedFor ?? []
  if (consumers.length === 0) return []
  if (status?.allocation === undefined) {
    return [forbiddenField(path, 'may not be specified when `allocated` is not set')]
  }
  if (metadata.deletionTimestamp === undefined) return []
  const known = old.status?.reservedFor ?? []
  if (consumers.every((consumer) => known.some((each) => deepEqual(each, consumer)))) return []
  const when = 'while `deallocationRequested` or `deletionTimestamp` are set'
  return [forbiddenField(path, `new entries may not be added ${when}`)]
}

function validateDevices(status: ResourceClaimStatus, path: string): FieldError[] {
  const allocated = allocatedIds(status, sharedDeviceId)
  const seen = new Set<string>()
  return (status.devices ?? []).flatMap((device, index) => {
    const at = `${path}[${index}]`
    const id = sharedDeviceId(device)
    const errors = validateDevice(device, allocated, at)
    if (seen.has(id)) errors.push({ type: 'FieldValueDuplicate', field: at, message: `Duplicate value: ${id}` })
    seen.add(id)
    return errors
  })
}

const maxConditions = 8

function validateDevice(device: AllocatedDeviceStatus, allocated: ReadonlySet<string>, path: string): FieldError[] {
  const { driver, pool, device: name, shareID, conditions = [], data, networkData } = device
  const errors = [
    ...validateDriverName(driver ?? '', `${path}.driver`),
    ...validatePoolName(pool, `${path}.pool`),
    ...invalidForEach(`${path}.device`, name, dnsLabel(name)),
    ...(shareID === undefined ? [] : validateUid(shareID, `${path}.shareID`)),
  ]
  const id = sharedDeviceId(device)
  if (!allocated.has(id)) {
    const message = `Invalid value: ${id}: must be an allocated device in the claim`
    errors.push({ type: 'FieldValueInvalid', field: path, message })
  }
  if (conditions.length > maxConditions) {
    errors.push(tooMany(`${path}.conditions`, conditions.length, maxConditions))
  }
  errors.push(...validateConditions(conditions, `${path}.conditions`))
  if (data !== undefined) errors.push(...validateOpaque(data, `${path}.data`))
  return networkData === undefined ? errors : [...errors, ...validateNetwork(networkData, `${path}.networkData`)]
}

const maxInterfaceName = 256
const maxHardwareAddress = 128
const maxAddresses = 16

function validateNetwork({ interfaceName = '', hardwareAddress = '', ips = [] }: NetworkDeviceData, path: string) {
  const errors: FieldError[] = []
  if (interfaceName.length > maxInterfaceName) errors.push(tooLong(`${path}.interfaceName`, maxInterfaceName))
  if (hardwareAddress.length > maxHardwareAddress) {
    errors.push(tooLong(`${path}.hardwareAddress`, maxHardwareAddress))
  }
  if (ips.length > maxAddresses) return [...errors, tooMany(`${path}.ips`, ips.length, maxAddresses)]
  for (const [index, ip] of ips.entries()) {
    errors.push(...validateInterfaceAddress(ip, `${path}.ips[${index}]`))
    if (ips.indexOf(ip) < index) errors.push(duplicate(`${path}.ips[${index}]`, ip))
  }
  return errors
}
