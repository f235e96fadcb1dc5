import type { KubernetesObject } from '#api/meta/resource.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Node, NodeSpec, Pod, PodSpec } from '#api/types/core.v1.ts'
import type { ObjectMeta } from '#api/types/meta.v1.ts'
import type { Lister } from '#client/informer.ts'
import { seededRandom } from '#lib/random.ts'
import { ClusterCache } from '../cluster-cache.ts'
import { decide } from '../cycle.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import type { SchedulerPlugin } from '../framework.ts'
import { PodInfo } from '../pod-info.ts'
import { defineProfile, type Profile } from '../profile.ts'

type Labels = Readonly<Record<string, string>>

/** A node with 2 cores, 4 GiB and room for 10 pods; its host name is a label. */
export function trialNode(name: string, labels: Labels = {}, spec: NodeSpec = {}): Node {
  const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } }
  return { metadata, spec, status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10' } } } as unknown as Node
}

/** A pod of namespace `default` that requests 100m and 100 MiB. */
export function trialPod(name: string, spec: Partial<PodSpec> = {}, metadata: Partial<ObjectMeta> = {}): Pod {
  const requests = { cpu: '100m', memory: '100Mi' }
  return {
    metadata: { name, namespace: 'default', uid: name, ...metadata },
    spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
  } as unknown as Pod
}

/** A lister over fixed objects. */
function listerOf<T extends KubernetesObject>(objects: readonly unknown[] = []): Lister<T> {
  const all = objects as readonly T[]
  const byKey = new Map(all.map((object) => [keyOf(object), object]))
  return {
    get: (name, namespace) => byKey.get(namespace === undefined ? name : `${namespace}/${name}`),
    list: (namespace) =>
      namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace),
  }
}

export type TrialObjects = { readonly [Kind in keyof ClusterObjects]?: readonly unknown[] }

export function trialCache(nodes: readonly Node[], objects: TrialObjects = {}): ClusterCache {
  const cache = new ClusterCache({
    namespaces: listerOf(objects.namespaces),
    services: listerOf(objects.services),
    replicationControllers: listerOf(objects.replicationControllers),
    replicaSets: listerOf(objects.replicaSets),
    statefulSets: listerOf(objects.statefulSets),
    budgets: listerOf(objects.budgets),
    claims: listerOf(objects.claims),
    volumes: listerOf(objects.volumes),
    storageClasses: listerOf(objects.storageClasses),
    csiNodes: listerOf(objects.csiNodes),
    csiDrivers: listerOf(objects.csiDrivers),
    csiCapacities: listerOf(objects.csiCapacities),
    attachments: listerOf(objects.attachments),
    resourceClaims: listerOf(objects.resourceClaims),
    resourceSlices: listerOf(objects.resourceSlices),
    deviceClasses: listerOf(objects.deviceClasses),
  })
  for (const node of nodes) cache.setNode(node)
  return cache
}

/** The name of the node that the pod gets, or why it gets none, by the default plugins or only some. */
export function outcome(
  pod: Pod,
  cache: ClusterCache,
  by: readonly SchedulerPlugin[] | Profile = defineProfile(),
): string {
  const profile = 'points' in by ? by : defineProfile({ disabled: ['*'], additional: by })
  const decision = decide(new PodInfo(pod), cache, { profile, random: seededRandom(1), startAt: 0 })
  return decision.type === 'place' ? decision.node.name : decision.message
}
