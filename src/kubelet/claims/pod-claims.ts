import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'

/** A claim that a pod refers to by a name of its own. */
export interface PodClaim {
  /** As the pod's containers name it; undefined for the claim that was made for its extended resources. */
  readonly reference: string | undefined
  /** Of the ResourceClaim; undefined while one has still to be made from a template, null where none is needed. */
  readonly claimName: string | null | undefined
}

/** The claims of a pod (API reference, `PodResourceClaim`). */
export function claimsOf({ spec, status }: Pod): readonly PodClaim[] {
  const named = (spec.resourceClaims ?? []).map(({ name, resourceClaimName }): PodClaim => {
    if (resourceClaimName !== undefined) return { reference: name, claimName: resourceClaimName }
    const made = status?.resourceClaimStatuses?.find((each) => each.name === name)
    return { reference: name, claimName: made === undefined ? undefined : (made.resourceClaimName ?? null) }
  })
  const extended = status?.extendedResourceClaimStatus?.resourceClaimName
  return extended === undefined ? named : [...named, { reference: undefined, claimName: extended }]
}

interface WantedRequest {
  readonly claimName: string
  /** All requests of the claim, where none is named. */
  readonly request: string | undefined
}

/** What a container asks for of the pod's claims, by `resources.claims` and by extended resources. */
export function requestsOf(pod: Pod, { name: containerName, resources }: Container): readonly WantedRequest[] {
  const named = (resources?.claims ?? []).flatMap(({ name, request }) => {
    const claimName = claimsOf(pod).find(({ reference }) => reference === name)?.claimName
    return claimName === null || claimName === undefined ? [] : [{ claimName, request }]
  })
  const { resourceClaimName = '', requestMappings = [] } = pod.status?.extendedResourceClaimStatus ?? {}
  const own = requestMappings.filter((mapping) => mapping.containerName === containerName)
  return [...named, ...own.map(({ requestName }) => ({ claimName: resourceClaimName, request: requestName }))]
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
