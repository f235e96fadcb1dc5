import {
  csiNodes,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  replicaSets,
  replicationControllers,
  services,
  statefulSets,
  storageClasses,
} from '#api/types/resources.ts'
import type { Informers } from '#client/informer.ts'
import type { ClusterObjects } from './framework.ts'

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
  } satisfies ClusterObjects
}
