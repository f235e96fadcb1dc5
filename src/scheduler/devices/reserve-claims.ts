import type { Pod } from '#api/types/core.v1.ts'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'
import { resourceClaims } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { unnamedShare } from './allocation-result.ts'

/** Keeps a claim that has devices until nobody uses it. */
export const claimFinalizer = 'resource.kubernetes.io/delete-protection'

interface Writing {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
}

/**
 * Writes into a claim which devices it has, if it is to get some, and that the pod uses it; answers it as written. A
 * claim that changed meanwhile is a conflict: the pod is tried anew.
 */
export async function reserveClaim(
  pod: Pod,
  claim: ResourceClaim,
  allocation: AllocationResult | undefined,
  { client, clock, random }: Writing,
): Promise<ResourceClaim> {
  const { name, namespace = '', finalizers = [] } = claim.metadata
  const collection = client.resource(resourceClaims, namespace)
  let { resourceVersion } = claim.metadata
  if (allocation && !finalizers.includes(claimFinalizer)) {
    const metadata = { resourceVersion, finalizers: [...finalizers, claimFinalizer] }
    const kept = await collection.patch(name, { type: 'merge', patch: { metadata } })
    resourceVersion = kept.metadata.resourceVersion
  }
  const consumer = { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid }
  const reservedFor = [...(claim.status?.reservedFor ?? []), consumer]
  const allocationTimestamp = formatTime(clock.now())
  const given = allocation && { ...nameShares(allocation, random), allocationTimestamp }
  const patch = { metadata: { resourceVersion }, status: { ...(given && { allocation: given }), reservedFor } }
  return collection.patch(name, { type: 'merge', patch }, { subresource: 'status' })
}

/** Each share of a device gets a name of its own. */
function nameShares({ devices, ...rest }: AllocationResult, random: Random): AllocationResult {
  const results = (devices?.results ?? []).map((result) =>
    result.shareID === unnamedShare ? { ...result, shareID: random.uuid() } : result,
  )
  return { ...rest, devices: { ...devices, results } }
}

/** Takes the devices from a claim that nobody uses. */
export async function deallocateClaim({ metadata }: ResourceClaim, client: Client): Promise<void> {
  const { name, namespace = '', resourceVersion } = metadata
  const patch = { metadata: { resourceVersion }, status: { allocation: null, reservedFor: null, devices: null } }
  await client.resource(resourceClaims, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
}
