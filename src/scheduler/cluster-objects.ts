import type { ReplicaSet, StatefulSet } from '#api/types/apps.v1.ts'
import type {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  Service,
} from '#api/types/core.v1.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '#api/types/resource.v1.ts'
import type { PodDisruptionBudget } from '#api/types/policy.v1.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  deviceClasses,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  replicaSets,
  replicationControllers,
  resourceClaims,
  resourceSlices,
  services,
  statefulSets,
  storageClasses,
  volumeAttachments,
} from '#api/types/resources.ts'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment } from '#api/types/storage.v1.ts'
import type { Informers, Lister } from '#client/informer.ts'

/** The other objects that plugins look at. */
export interface ClusterObjects {
  readonly namespaces: Lister<Namespace>
  readonly services: Lister<Service>
  readonly replicationControllers: Lister<ReplicationController>
  readonly replicaSets: Lister<ReplicaSet>
  readonly statefulSets: Lister<StatefulSet>
  readonly budgets: Lister<PodDisruptionBudget>
  readonly claims: Lister<PersistentVolumeClaim>
  readonly volumes: Lister<PersistentVolume>
  readonly storageClasses: Lister<StorageClass>
  readonly csiNodes: Lister<CSINode>
  readonly csiDrivers: Lister<CSIDriver>
  readonly csiCapacities: Lister<CSIStorageCapacity>
  readonly attachments: Lister<VolumeAttachment>
  readonly resourceClaims: Lister<ResourceClaim>
  readonly resourceSlices: Lister<ResourceSlice>
  readonly deviceClasses: Lister<DeviceClass>
}

/** The objects that plugins look at, from informers that others share. */
export function clusterObjects(informers: Informers) {
  return {
    namespaces: informers.of(namespaces),
    services: informers.of(services),
    replicationControllers: informers.of(replicationControllers),
    replicaSets: informers.of(replicaSets),
    statefulSets: informers.of(statefulSets),
    budgets: informers.of(podDisruptionBudgets),
    claims: informers.of(persistentVolumeClaims),
    volumes: informers.of(persistentVolumes),
    storageClasses: informers.of(storageClasses),
    csiNodes: informers.of(csiNodes),
    csiDrivers: informers.of(csiDrivers),
    csiCapacities: informers.of(csiStorageCapacities),
    attachments: informers.of(volumeAttachments),
    resourceClaims: informers.of(resourceClaims),
    resourceSlices: informers.of(resourceSlices),
    deviceClasses: informers.of(deviceClasses),
  } satisfies ClusterObjects
}
