import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'
import { definePlugin } from '../framework.ts'
import { knownClaims } from '../volumes/pod-claims.ts'

const plugin = 'NodeVolumeLimits'
const reason = 'node(s) exceed max volume count'

/** One volume of a CSI driver; `handle` tells volumes of a driver apart. */
interface DriverVolume {
  readonly driver: string
  readonly handle: string
}

interface LimitState {
  readonly wanted: readonly DriverVolume[]
  readonly objects: ClusterObjects
  /** By node: what is attached there, also for pods that are gone. */
  readonly attached: ReadonlyMap<string, readonly DriverVolume[]>
}

/** A node takes no more volumes of a CSI driver than its CSINode says can be attached. */
export const nodeVolumeLimits = definePlugin<LimitState>({
  name: plugin,
  preFilter({ pod }, { objects }) {
    const wanted = volumesOf(pod, objects)
    return wanted.length === 0 ? 'skip' : { wanted, objects, attached: attachedVolumes(objects) }
  },
  filter(_pod, node, { wanted, objects, attached: byNode }) {
    const drivers = objects.csiNodes.get(node.name)?.spec.drivers ?? []
    for (const { name, allocatable } of drivers) {
      const limit = allocatable?.count
      const own = wanted.filter(({ driver }) => driver === name).map(({ handle }) => handle)
      if (limit === undefined || own.length === 0) continue
      const attached = new Set<string>()
      for (const { driver, handle } of byNode.get(node.name) ?? []) if (driver === name) attached.add(handle)
      for (const { pod } of node.pods.values()) {
        for (const { driver, handle } of volumesOf(pod, objects)) if (driver === name) attached.add(handle)
      }
      const more = new Set(own.filter((handle) => !attached.has(handle))).size
      if (more > 0 && attached.size + more > limit) {
        const missing = [{ resource: `volumes of ${name}`, requested: more, free: limit - attached.size }]
        return { plugin, reason, missing }
      }
    }
    return undefined
  },
  remedy: (_pod, { name }) => `detach volumes from ${name}, or add a node`,
  helpedBy(change, pod) {
    if (change.type === 'podFreed') return change.pod.claimKeys.length > 0
    if (change.type === 'nodeAdded') return true
    if (change.type !== 'storageChanged') return false
    const { object } = change
    if (change.isGone) return object.kind === 'VolumeAttachment'
    return (
      object.kind === 'CSINode' || (object.kind === 'PersistentVolumeClaim' && pod.claimKeys.includes(keyOf(object)))
    )
  },
})

function attachedVolumes({ attachments, volumes }: ClusterObjects): ReadonlyMap<string, readonly DriverVolume[]> {
  const byNode = new Map<string, DriverVolume[]>()
  for (const { spec } of attachments.list()) {
    const { persistentVolumeName, inlineVolumeSpec } = spec.source
    const csi = (inlineVolumeSpec ?? volumes.get(persistentVolumeName ?? '')?.spec)?.csi
    if (!csi) continue
    const known = byNode.get(spec.nodeName)
    const volume = { driver: csi.driver, handle: csi.volumeHandle }
    if (known) known.push(volume)
    else byNode.set(spec.nodeName, [volume])
  }
  return byNode
}

/** The volumes of the pod's claims; for a claim that has none yet, the one that its class will have made. */
function volumesOf(pod: Pod, objects: ClusterObjects): readonly DriverVolume[] {
  return knownClaims(pod, objects).flatMap(({ metadata, spec }) => {
    const csi = objects.volumes.get(spec.volumeName ?? '')?.spec.csi
    if (csi) return { driver: csi.driver, handle: csi.volumeHandle }
    if ((spec.volumeName ?? '') !== '') return []
    const driver = objects.storageClasses.get(spec.storageClassName ?? '')?.provisioner
    return driver === undefined ? [] : { driver, handle: `${metadata.namespace}/${metadata.name}` }
  })
}
