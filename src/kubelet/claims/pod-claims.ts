import type { Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'

/** A claim that a pod refers to by a name of its own. */
export interface PodClaim {
  /** As the pod's containers name it. */
  readonly reference: string
  /** Of the ResourceClaim; undefined while one has still to be made from a template, null where none is needed. */
  readonly claimName: string | null | undefined
}

/** The claims of a pod (API reference, `PodResourceClaim`). */
export function claimsOf({ spec, status }: Pod): readonly PodClaim[] {
  return (spec.resourceClaims ?? []).map(({ name, resourceClaimName }) => {
    if (resourceClaimName !== undefined) return { reference: name, claimName: resourceClaimName }
    const made = status?.resourceClaimStatuses?.find((each) => each.name === name)
    return { reference: name, claimName: made === undefined ? undefined : (made.resourceClaimName ?? null) }
  })
}

/** The drivers of which a claim has devices. */
export function driversOf(claim: ResourceClaim): readonly string[] {
  return [...new Set((claim.status?.allocation?.devices?.results ?? []).map(({ driver }) => driver))]
}

/** Throws with the reason why the pod must not use the claim yet. */
export function requireUsable(pod: Pod, claim: ResourceClaim): void {
  const { name, uid, namespace } = pod.metadata
  if (claim.status?.allocation === undefined) throw new Error(`resource claim ${claim.metadata.name} is not allocated`)
  const isReserved = claim.status.reservedFor?.some((consumer) => consumer.resource === 'pods' && consumer.uid === uid)
  if (isReserved !== true) {
    throw new Error(`pod ${namespace}/${name} (${uid}) is not allowed to use resource claim ${claim.metadata.name}`)
  }
}
