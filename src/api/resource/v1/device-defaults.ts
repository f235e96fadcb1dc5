import type { Draft } from '../../kind.ts'
import type { DeviceClaim, DeviceSubRequest, DeviceTaint, ResourceClaimSpec } from '../../types/resource.v1.ts'

/** Defaults of a claim for devices: one device, exactly, for every request (KEP-4381). */
export function setClaimSpecDefaults(spec: Draft<ResourceClaimSpec>): void {
  for (const request of spec.devices?.requests ?? []) {
    if (request.exactly !== undefined) setRequestDefaults(request.exactly)
    for (const option of request.firstAvailable ?? []) setRequestDefaults(option)
  }
}

type Countable = Pick<Draft<DeviceSubRequest>, 'allocationMode' | 'count' | 'tolerations'>

function setRequestDefaults(request: Countable): void {
  request.allocationMode ??= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
  for (const toleration of request.tolerations ?? []) toleration.operator ??= 'Equal'
}

/** A taint counts from when it was set. */
export function setTaintTimes(taints: readonly Draft<DeviceTaint>[] | undefined, now: string): void {
  for (const taint of taints ?? []) taint.timeAdded ??= now
}

/** Names of the requests and of their alternatives. */
export function requestNames(devices: DeviceClaim | undefined): readonly string[] {
  return (devices?.requests ?? []).flatMap(({ name, firstAvailable }) => [
    name,
    ...(firstAvailable ?? []).map((option) => `${name}/${option.name}`),
  ])
}
