import type { DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '../../types/resource.v1.ts'
import { maxResults } from './device-limits.ts'

/** How many devices of each class a claim can come to hold: of alternatives, the one that takes most of a class. */
export function deviceCounts({ devices }: ResourceClaimSpec): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { exactly, firstAvailable = [] } of devices?.requests ?? []) {
    const most = new Map<string, number>()
    for (const request of exactly ? [exactly] : firstAvailable) {
      const name = request.deviceClassName
      most.set(name, Math.max(most.get(name) ?? 0, countOf(request)))
    }
    for (const [name, count] of most) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  return counts
}

/** All devices of a node are not known yet: as many as a claim can hold. */
function countOf({ allocationMode, count = 1 }: ExactDeviceRequest | DeviceSubRequest): number {
  return allocationMode === 'All' ? maxResults : count
}
