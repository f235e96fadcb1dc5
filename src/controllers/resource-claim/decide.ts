import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { controllerOf, controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import type { Pod, PodResourceClaim } from '#api/types/core.v1.ts'
import type { ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate } from '#api/types/resource.v1.ts'

/** Says for which of its pod's claims a claim was made. */
const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name'
/** Kept while devices are allocated, so that a claim never goes before they are free. */
export const claimFinalizer = 'resource.kubernetes.io/delete-protection'

/** Whether the pod will never use its claims (again): it has ended, or goes without ever having been on a node. */
export function isDoneWithClaims(pod: Pod): boolean {
  return isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName)
}

/** The claim made for one of the pod's claims, or undefined if there is none yet. */
export function claimMadeFor(
  pod: Pod,
  { name }: PodResourceClaim,
  claims: readonly ResourceClaim[],
): ResourceClaim | undefined {
  return claims.find((claim) => {
    return controllerOf(claim)?.uid === pod.metadata.uid && claim.metadata.annotations?.[podClaimAnnotation] === name
  })
}

/** The claim that a template describes for the pod; it goes with the pod. */
export function claimFromTemplate(
  pod: Pod,
  { name }: PodResourceClaim,
  { spec: template }: ResourceClaimTemplate,
): New<ResourceClaim> {
  const { labels, annotations } = template.metadata ?? {}
  return {
    metadata: {
      generateName: `${pod.metadata.name}-${name}-`,
      namespace: pod.metadata.namespace,
      ...(labels && { labels }),
      annotations: { ...annotations, [podClaimAnnotation]: name },
      ownerReferences: [controllerReference(pod)],
    },
    spec: template.spec,
  }
}

/** What must become of a claim, by the pods that use it. */
export interface ClaimFate {
  /** The consumers that are still there; undefined: nothing changes. */
  readonly reservedFor?: readonly ResourceClaimConsumerReference[]
  /** Nobody uses its devices any more: others may have them. */
  readonly isFreed: boolean
  /** It was made for one pod, and that is done. */
  readonly isUseless: boolean
}

export function decideClaim(claim: ResourceClaim, podOf: (name: string) => Pod | undefined): ClaimFate {
  const known = claim.status?.reservedFor ?? []
  const kept = known.filter((consumer) => isStillUsed(consumer, podOf))
  const owner = controllerOf(claim)
  const pod = owner?.kind === 'Pod' ? podOf(owner.name) : undefined
  const isUseless = pod !== undefined && pod.metadata.uid === owner?.uid && isDoneWithClaims(pod)
  const isAllocated = claim.status?.allocation !== undefined
  const isUnused = kept.length === 0 && (known.length > 0 || claim.metadata.deletionTimestamp !== undefined)
  return {
    ...(kept.length === known.length ? {} : { reservedFor: kept }),
    isFreed: isUnused && isAllocated && hasFinalizer(claim),
    isUseless,
  }
}

export function hasFinalizer({ metadata }: ResourceClaim): boolean {
  return metadata.finalizers?.includes(claimFinalizer) ?? false
}

/** A consumer of an unknown kind is not ours to judge. */
function isStillUsed(
  { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference,
  podOf: (name: string) => Pod | undefined,
): boolean {
  if (apiGroup !== '' || resource !== 'pods') return true
  const pod = podOf(name)
  return pod !== undefined && pod.metadata.uid === uid && !isDoneWithClaims(pod)
}
