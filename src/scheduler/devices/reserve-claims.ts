import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'
import { resourceClaims } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { isReservedFor } from './pod-resource-claims.ts'

/** Keeps a claim that has devices until nobody uses it. */
const finalizer = 'resource.kubernetes.io/delete-protection'

/**
 * Writes into each claim which devices it has and that the pod uses it. A claim that changed meanwhile is a conflict:
 * the pod is tried anew.
 */
export async function reserveClaims(
  pod: Pod,
  claims: readonly ResourceClaim[],
  allocations: ReadonlyMap<string, AllocationResult>,
  client: Client,
): Promise<void> {
  const unreserved = claims.filter((claim) => !isReservedFor(claim, pod))
  await Promise.all(unreserved.map((claim) => reserveClaim(pod, claim, allocations.get(keyOf(claim)), client)))
}

async function reserveClaim(
  pod: Pod,
  claim: ResourceClaim,
  allocation: AllocationResult | undefined,
  client: Client,
): Promise<void> {
  const { name, namespace = '', finalizers = [] } = claim.metadata
  const collection = client.resource(resourceClaims, namespace)
  let { resourceVersion } = claim.metadata
  if (allocation && !finalizers.includes(finalizer)) {
    const metadata = { resourceVersion, finalizers: [...finalizers, finalizer] }
    const kept = await collection.patch(name, { type: 'merge', patch: { metadata } })
    resourceVersion = kept.metadata.resourceVersion
  }
  const consumer = { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid }
  const reservedFor = [...(claim.status?.reservedFor ?? []), consumer]
  const status = { ...(allocation && { allocation }), reservedFor }
  const patch = { metadata: { resourceVersion }, status }
  await collection.patch(name, { type: 'merge', patch }, { subresource: 'status' })
}

/** Takes the devices from a claim that nobody uses. */
export async function deallocateClaim({ metadata }: ResourceClaim, client: Client): Promise<void> {
  const { name, namespace = '', resourceVersion } = metadata
  const patch = { metadata: { resourceVersion }, status: { allocation: null, reservedFor: null } }
  await client.resource(resourceClaims, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
}
