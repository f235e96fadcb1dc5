import {
  canBeDevices,
  classesByResource,
  extendedClaimAnnotation,
  extendedRequests,
} from '#api/resource/v1/extended-resources.ts'
import type { ContainerExtendedResourceRequest, Pod } from '#api/types/core.v1.ts'
import type { DeviceClass, ResourceClaim } from '#api/types/resource.v1.ts'
import { pods, resourceClaims } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { claimFinalizer } from './reserve-claims.ts'

/** What a pod asks for by extended resources that devices can stand for (KEP-5004). */
export interface ExtendedNeed {
  readonly classOf: (resource: string) => DeviceClass | undefined
  /** Those of the pod's resources that a class stands for. */
  readonly resources: readonly string[]
  /** What an earlier attempt has left behind. */
  readonly stale: ResourceClaim | undefined
}

/** On one node: the claim that the scheduler would make for the pod. */
export interface ExtendedClaim {
  readonly claim: ResourceClaim
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

/** Nothing for pods whose resources no class of devices stands for. */
export function extendedNeed({ pod, otherRequests }: PodInfo, objects: ClusterObjects): ExtendedNeed | undefined {
  const asked = otherRequests.map(([name]) => name).filter(canBeDevices)
  if (asked.length === 0) return undefined
  const byResource = classesByResource(objects.deviceClasses.list())
  const resources = asked.filter((name) => byResource.has(name))
  if (resources.length === 0) return undefined
  return { classOf: (name) => byResource.get(name), resources, stale: claimOf(pod, objects) }
}

function claimOf({ metadata }: Pod, objects: ClusterObjects): ResourceClaim | undefined {
  return objects.resourceClaims.list(metadata.namespace).find((claim) => {
    const { annotations, ownerReferences = [] } = claim.metadata
    const isOwner = ownerReferences.some(({ uid, controller }) => uid === metadata.uid && controller === true)
    return isOwner && annotations?.[extendedClaimAnnotation] === 'true'
  })
}

/** Nothing where the node has all of the resources by device plugins. */
export function extendedClaimOn({ pod }: PodInfo, need: ExtendedNeed, node: NodeInfo): ExtendedClaim | undefined {
  const missing = need.resources.filter((name) => (node.allocatable[name] ?? 0) === 0)
  if (missing.length === 0) return undefined
  const { requests, mappings } = extendedRequests(pod, missing, need.classOf)
  const { name, namespace, uid } = pod.metadata
  // No claim can have such a name.
  const metadata = { name: `<extended-resources>/${name}/${uid}`, namespace }
  return { claim: { metadata, spec: { devices: { requests } } } as ResourceClaim, mappings }
}

/** Makes the claim; the pod owns it. */
export function createExtendedClaim(pod: Pod, { claim }: ExtendedClaim, client: Client): Promise<ResourceClaim> {
  const { name, namespace = '', uid } = pod.metadata
  return client.resource(resourceClaims, namespace).create({
    metadata: {
      generateName: `${name}-extended-resources-`,
      namespace,
      annotations: { [extendedClaimAnnotation]: 'true' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
    },
    spec: claim.spec,
  })
}

/** Tells the kubelet which devices are for which container. */
export async function tellOfExtendedClaim(
  { metadata: { name, namespace = '', uid } }: Pod,
  resourceClaimName: string,
  { mappings }: ExtendedClaim,
  client: Client,
): Promise<void> {
  const extendedResourceClaimStatus = { resourceClaimName, requestMappings: mappings }
  const patch = { metadata: { uid }, status: { extendedResourceClaimStatus } }
  await client.resource(pods, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
}

/** Removes what an earlier attempt has left, with its devices. */
export async function deleteExtendedClaim(claim: ResourceClaim, client: Client): Promise<void> {
  const { name, namespace = '', uid, finalizers = [] } = claim.metadata
  const collection = client.resource(resourceClaims, namespace)
  if (finalizers.includes(claimFinalizer)) {
    const metadata = { uid, finalizers: finalizers.filter((each) => each !== claimFinalizer) }
    await collection.patch(name, { type: 'merge', patch: { metadata } })
  }
  await collection.delete(name, { preconditions: { uid } })
}
