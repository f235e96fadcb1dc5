import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import { keyOf } from '#api/meta/resource.ts'
import { matcherOf } from '#api/meta/labels.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

/** What is to happen to a claim that waits for its pod: take a volume that exists, or have one made. */
export type ClaimPlan =
  | { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  | { readonly claim: PersistentVolumeClaim; readonly provision: true }

/** A claim, and the volumes that could serve it on some node, best first. */
export interface ClaimChoice {
  readonly claim: PersistentVolumeClaim
  readonly volumes: readonly PersistentVolume[]
}

/** What may serve each claim, wherever: the volume meant for it, then the smallest first. Smaller claims come first. */
export function claimChoices(
  claims: readonly PersistentVolumeClaim[],
  objects: ClusterObjects,
): readonly ClaimChoice[] {
  const all = objects.volumes.list()
  const meantFor = ({ spec }: PersistentVolume): number => (spec.claimRef === undefined ? 1 : 0)
  return claims
    .toSorted((a, b) => wantedBytes(a) - wantedBytes(b))
    .map((claim) => ({
      claim,
      volumes: all
        .filter((volume) => fits(volume, claim))
        .sort((a, b) => meantFor(a) - meantFor(b) || capacity(a) - capacity(b)),
    }))
}

/** Why a claim cannot be served on a node. */
export type ClaimObstacle = 'noVolume' | 'noRoom'

/**
 * How all the claims can be served on the node: each by the best volume that no other claim has, else by its class's
 * provisioner; or what stands in the way of one of them. Volumes that another claim is assumed to get are left to it.
 */
export function planClaims(
  choices: readonly ClaimChoice[],
  node: Node,
  objects: ClusterObjects,
  assumed: ReadonlyMap<string, string>,
): readonly ClaimPlan[] | ClaimObstacle {
  const taken = new Set<PersistentVolume>()
  const plans: ClaimPlan[] = []
  for (const { claim, volumes } of choices) {
    const isOpen = ({ metadata }: PersistentVolume): boolean =>
      (assumed.get(metadata.name) ?? keyOf(claim)) === keyOf(claim)
    const volume = volumes.find((each) => !taken.has(each) && isOpen(each) && suitsNode(each, node))
    if (volume) {
      taken.add(volume)
      plans.push({ claim, volume })
      continue
    }
    if (!canProvision(claim, node, objects)) return 'noVolume'
    if (!hasRoom(claim, node, objects)) return 'noRoom'
    plans.push({ claim, provision: true })
  }
  return plans
}

/** The volume can be used on the node. */
export function suitsNode({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required
  return required === undefined || matchesNodeSelector(required, node)
}

function fits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { spec, metadata, status } = volume
  const { claimRef } = spec
  const isFree = claimRef === undefined ? status?.phase === 'Available' : refersTo(claimRef, claim)
  return (
    isFree &&
    metadata.deletionTimestamp === undefined &&
    (spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
    (spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
    (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode)) &&
    (claim.spec.selector === undefined || matcherOf(claim.spec.selector).matches(metadata.labels)) &&
    capacity(volume) >= wantedBytes(claim)
  )
}

function refersTo(
  { name, namespace, uid }: NonNullable<PersistentVolume['spec']['claimRef']>,
  { metadata }: PersistentVolumeClaim,
): boolean {
  return name === metadata.name && namespace === metadata.namespace && (uid === undefined || uid === metadata.uid)
}

function capacity({ spec }: PersistentVolume): number {
  return resourceAmount('storage', spec.capacity?.['storage'] ?? '0')
}

function wantedBytes({ spec }: PersistentVolumeClaim): number {
  return resourceAmount('storage', spec.resources?.requests?.['storage'] ?? '0')
}

function canProvision({ spec }: PersistentVolumeClaim, node: Node, { storageClasses }: ClusterObjects): boolean {
  const storageClass = storageClasses.get(spec.storageClassName ?? '')
  if (!storageClass || storageClass.provisioner === 'kubernetes.io/no-provisioner') return false
  const { allowedTopologies = [] } = storageClass
  const { labels } = node.metadata
  return (
    allowedTopologies.length === 0 ||
    allowedTopologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => labels?.[key] !== undefined && values.includes(labels[key])),
    )
  )
}

/**
 * A driver that says in its CSIDriver that it tells of its capacity must have told of enough, for the class and within
 * reach of the node, in one piece (KEP-1472).
 */
function hasRoom(
  claim: PersistentVolumeClaim,
  node: Node,
  { storageClasses, csiDrivers, csiCapacities }: ClusterObjects,
) {
  const storageClass = storageClasses.get(claim.spec.storageClassName ?? '')
  const wanted = wantedBytes(claim)
  if (!storageClass || wanted === 0) return true
  if (csiDrivers.get(storageClass.provisioner)?.spec.storageCapacity !== true) return true
  return csiCapacities.list().some(({ storageClassName, capacity, maximumVolumeSize, nodeTopology }) => {
    const largest = maximumVolumeSize ?? capacity
    return (
      storageClassName === storageClass.metadata.name &&
      largest !== undefined &&
      resourceAmount('storage', largest) >= wanted &&
      nodeTopology !== undefined &&
      matcherOf(nodeTopology).matches(node.metadata.labels)
    )
  })
}
