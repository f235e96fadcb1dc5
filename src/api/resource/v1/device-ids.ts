import type { ResourceClaimStatus } from '../../types/resource.v1.ts'

interface DeviceReference {
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly shareID?: string | undefined
}

/** `driver/pool/device`: what tells devices apart. */
export function deviceId({ driver, pool, device }: Omit<DeviceReference, 'shareID'>): string {
  return `${driver}/${pool}/${device}`
}

/** The same, with the share of a device that several claims have. */
export function sharedDeviceId(reference: DeviceReference): string {
  return reference.shareID === undefined ? deviceId(reference) : `${deviceId(reference)}/${reference.shareID}`
}

/** What was allocated to a claim. */
export function allocatedIds(
  status: ResourceClaimStatus | undefined,
  idOf: (reference: DeviceReference) => string,
): ReadonlySet<string> {
  return new Set((status?.allocation?.devices?.results ?? []).map(idOf))
}
