import { isPodBound, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { hasLabels } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Namespace, Node, Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import type { Informer, Informers } from '#client/informer.ts'
import type { clusterObjects } from './cluster-objects.ts'
import type { ClusterCache } from './cluster-cache.ts'
import type { Profile } from './profile.ts'
import { PodInfo } from './pod-info.ts'
import type { SchedulingQueue } from './scheduling-queue.ts'

interface Following {
  readonly informers: Informers
  readonly objects: ReturnType<typeof clusterObjects>
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  readonly profileOf: (pod: Pod) => Profile | undefined
  /** Told of each pod that is no longer to be bound. */
  readonly ended: (uid: string) => void
}

/** Keeps cache and queue true to what the watches tell, until the returned function is called. */
export function followCluster(following: Following): () => void {
  const { informers, objects } = following
  const removers = [
    informers.of(nodes).listen({
      added: (node) => nodeAdded(following, node),
      updated: (node, previous) => nodeUpdated(following, node, previous),
      deleted: (node) => nodeRemoved(following, node),
    }),
    informers.of(pods).listen({
      added: (pod) => podChanged(following, pod, undefined),
      updated: (pod, previous) => podChanged(following, pod, previous),
      deleted: (pod) => podDeleted(following, pod),
    }),
    objects.namespaces.listen({
      added: (namespace) => namespaceChanged(following, namespace),
      updated: (namespace, previous) => namespaceChanged(following, namespace, previous),
    }),
    ...devicesOf(objects).map((informer) => followDevices(following, informer)),
    ...storageOf(objects).map((informer) => followStorage(following, informer)),
  ]
  return () => {
    for (const remove of removers) remove()
  }
}

function nodeAdded({ cache, queue }: Following, node: Node): void {
  cache.setNode(node)
  queue.react({ type: 'nodeAdded', node })
}

function nodeUpdated({ cache, queue }: Following, node: Node, previous: Node): void {
  if (cache.setNode(node)) queue.react({ type: 'nodeUpdated', node, previous })
}

function nodeRemoved({ cache, queue }: Following, node: Node): void {
  cache.removeNode(node.metadata.name)
  queue.react({ type: 'nodeRemoved', node })
}

function podChanged(following: Following, pod: Pod, previous: Pod | undefined): void {
  const { cache, queue, profileOf } = following
  // After a lost watch a pod of the same name may be another.
  if (previous && previous.metadata.uid !== pod.metadata.uid) {
    podDeleted(following, previous)
    previous = undefined
  }
  if (isPodBound(pod)) return boundPodChanged(following, pod, previous)
  const profile = profileOf(pod)
  const isHeld = profile?.points.preEnqueue.some(({ plugin }) => plugin.preEnqueue?.(pod)) ?? true
  if (isHeld || isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return forget(following, pod)
  // An assumed pod whose binding the watch has not shown yet is already on its way.
  if (cache.isPlaced(pod.metadata.uid)) return
  queue.set(pod)
  const { nominatedNodeName } = pod.status ?? {}
  if (nominatedNodeName !== undefined && cache.nominationOf(pod.metadata.uid) !== nominatedNodeName) {
    cache.nominate(new PodInfo(pod), nominatedNodeName)
  }
}

function boundPodChanged(following: Following, pod: Pod, previous: Pod | undefined): void {
  const { cache, queue } = following
  forget(following, pod)
  const nodeName = pod.spec.nodeName as string
  const info = new PodInfo(pod, cache.podOn(nodeName, pod.metadata.uid))
  const known = cache.placePod(info, nodeName)
  if (isPodTerminal(pod)) {
    if (known) queue.react({ type: 'podFreed', pod: known })
  } else if (!previous || !isPodBound(previous)) {
    queue.react({ type: 'podBound', pod: info })
  } else if (known && changesPlacement(pod, previous)) {
    queue.react({ type: 'podUpdated', pod: info, previous: known })
  }
}

/** Labels, the beginning of the end, or a resize: what filters look at. */
function changesPlacement(pod: Pod, previous: Pod): boolean {
  const [now, before] = [pod.metadata, previous.metadata]
  return (
    now.deletionTimestamp !== before.deletionTimestamp ||
    now.generation !== before.generation ||
    !hasLabels(now.labels, before.labels ?? {}) ||
    !hasLabels(before.labels, now.labels ?? {})
  )
}

function podDeleted(following: Following, pod: Pod): void {
  const { cache, queue } = following
  const waited = cache.nominationOf(pod.metadata.uid) !== undefined
  forget(following, pod)
  const known = cache.removePod(pod.metadata.uid)
  if (known || waited) queue.react({ type: 'podFreed', pod: known ?? new PodInfo(pod) })
}

function forget({ cache, queue, ended }: Following, pod: Pod): void {
  queue.remove(pod)
  ended(pod.metadata.uid)
  cache.withdrawNomination(pod.metadata.uid)
}

function namespaceChanged({ cache, queue }: Following, namespace: Namespace, previous?: Namespace): void {
  const { name, labels } = namespace.metadata
  if (previous && JSON.stringify(previous.metadata.labels) === JSON.stringify(labels)) return
  cache.counting.namespaceChanged()
  queue.react({ type: 'namespaceLabeled', name, labels })
}

function storageOf(objects: Following['objects']): readonly Informer<KubernetesObject>[] {
  const { claims, volumes, storageClasses, csiNodes, csiDrivers, csiCapacities, attachments } = objects
  const all = [claims, volumes, storageClasses, csiNodes, csiDrivers, csiCapacities, attachments]
  return all as unknown as readonly Informer<KubernetesObject>[]
}

function devicesOf({ resourceClaims, resourceSlices, deviceClasses }: Following['objects']) {
  return [resourceClaims, resourceSlices, deviceClasses] as unknown as readonly Informer<KubernetesObject>[]
}

function followDevices({ cache, queue }: Following, informer: Informer<KubernetesObject>): () => void {
  const react = (isGone: boolean) => (object: KubernetesObject) => {
    if (object.kind === 'ResourceClaim') cache.assumedAllocations.saw(object as ResourceClaim, isGone)
    queue.react({ type: 'devicesChanged', object, isGone })
  }
  return informer.listen({ added: react(false), updated: react(false), deleted: react(true) })
}

function followStorage({ queue }: Following, informer: Informer<KubernetesObject>): () => void {
  const react = (isGone: boolean) => (object: KubernetesObject) =>
    queue.react({ type: 'storageChanged', object, isGone })
  return informer.listen({ added: react(false), updated: react(false), deleted: react(true) })
}
