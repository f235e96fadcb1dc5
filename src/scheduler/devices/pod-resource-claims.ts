import { controllerOf } from '#api/meta/owner.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

/** The claims for devices that a pod names, or what stands in the way of using them. */
export function podResourceClaims(
  pod: Pod,
  { resourceClaims }: ClusterObjects,
): readonly ResourceClaim[] | { readonly problem: string } {
  const { name: podName, namespace = '' } = pod.metadata
  const claims: ResourceClaim[] = []
  for (const { name, resourceClaimName } of pod.spec.resourceClaims ?? []) {
    const status = pod.status?.resourceClaimStatuses?.find((each) => each.name === name)
    if (resourceClaimName === undefined && !status) {
      return { problem: `pod "${namespace}/${podName}": ResourceClaim not created yet` }
    }
    const claimName = resourceClaimName ?? status?.resourceClaimName
    // The template's owner decided that none is needed.
    if (claimName === undefined) continue
    const claim = resourceClaims.get(claimName, namespace)
    if (!claim) return { problem: `resourceclaim "${claimName}" not found` }
    if (claim.metadata.deletionTimestamp !== undefined) {
      return { problem: `resourceclaim "${claimName}" is being deleted` }
    }
    if (resourceClaimName === undefined && controllerOf(claim)?.uid !== pod.metadata.uid) {
      const key = `${namespace}/`
      return { problem: `ResourceClaim ${key}${claimName} was not created for Pod ${key}${podName} (Pod is not owner)` }
    }
    claims.push(claim)
  }
  return claims
}

/** Pods that can share a claim (resource.k8s.io/v1). */
const maxConsumers = 256

export function isReservedFor({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return status?.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false
}

/** Whether one more pod may use the claim. */
export function canBeReserved({ status }: ResourceClaim): boolean {
  return (status?.reservedFor ?? []).length < maxConsumers
}
