import type { Draft } from '../../kind.ts'
import type { ResourceClaim } from '../../types/resource.v1.ts'
import { allocatedIds, deviceId } from './device-ids.ts'

const keptMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const

/** `/status` of a claim changes nothing else. What drivers said of devices that are given back goes with these. */
export function prepareClaimStatus(draft: Draft<ResourceClaim>, old: ResourceClaim): void {
  draft.spec = old.spec as Draft<ResourceClaim>['spec'] // frozen, and nothing writes into it any more
  for (const field of keptMetadata) {
    if (old.metadata[field] === undefined) delete draft.metadata[field]
    else draft.metadata[field] = old.metadata[field] as never
  }
  const { status } = draft
  if (status?.devices === undefined) return
  const before = allocatedIds(old.status, deviceId)
  const now = allocatedIds(status as ResourceClaim['status'], deviceId)
  const kept = status.devices.filter((device) => now.has(deviceId(device)) || !before.has(deviceId(device)))
  if (kept.length === 0) delete status.devices
  else status.devices = kept
}
