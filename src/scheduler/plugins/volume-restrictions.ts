import { keyOf } from '#api/meta/resource.ts'
import type { Volume } from '#api/types/core.v1.ts'
import { definePlugin } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { knownClaims } from '../volumes/pod-claims.ts'

const plugin = 'VolumeRestrictions'
const claimRejection = {
  plugin,
  reason: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
}
const diskRejection = { plugin, reason: 'node(s) had no available disk' }

interface RestrictionState {
  readonly isClaimInUse: () => boolean
  readonly disks: readonly Disk[]
}

/** A disk that a pod names itself; two pods of a node may share it only where all of them only read. */
interface Disk {
  readonly id: string
  readonly isReadOnly: boolean
}

/**
 * A claim with the access mode ReadWriteOncePod serves one pod of the whole cluster at a time (KEP-2485), and a disk
 * that pods name directly can be attached to a node once.
 */
export const volumeRestrictions = definePlugin<RestrictionState>({
  name: plugin,
  preFilter({ pod, namespace }, { objects, claimUsers }) {
    if (pod.spec.volumes === undefined) return 'skip'
    const exclusive = knownClaims(pod, objects)
      .filter(({ spec }) => spec.accessModes?.includes('ReadWriteOncePod'))
      .map(({ metadata }) => `${namespace}/${metadata.name}`)
    const disks = disksOf(pod.spec.volumes)
    if (exclusive.length === 0 && disks.length === 0) return 'skip'
    return { isClaimInUse: () => exclusive.some((key) => claimUsers(key) > 0), disks }
  },
  filter(_pod, node, { isClaimInUse, disks }) {
    if (disks.length > 0) for (const other of node.pods.values()) if (collides(disks, other)) return diskRejection
    return isClaimInUse() ? claimRejection : undefined
  },
  remedy: () => 'end the pod that uses the same volume',
  helpedBy(change, pod) {
    if (change.type === 'storageChanged') {
      const { object, isGone } = change
      return !isGone && object.kind === 'PersistentVolumeClaim' && pod.claimKeys.includes(keyOf(object))
    }
    if (change.type !== 'podFreed') return false
    return (
      pod.claimKeys.some((key) => change.pod.claimKeys.includes(key)) ||
      collides(disksOf(pod.pod.spec.volumes), change.pod)
    )
  },
})

function collides(disks: readonly Disk[], { pod }: PodInfo): boolean {
  if (disks.length === 0 || pod.spec.volumes === undefined) return false
  return disksOf(pod.spec.volumes).some((theirs) =>
    disks.some(({ id, isReadOnly }) => id === theirs.id && !(isReadOnly && theirs.isReadOnly)),
  )
}

function disksOf(volumes: readonly Volume[] | undefined): readonly Disk[] {
  return (volumes ?? []).flatMap(({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }): readonly Disk[] => {
    if (gcePersistentDisk)
      return [{ id: `gce/${gcePersistentDisk.pdName}`, isReadOnly: gcePersistentDisk.readOnly === true }]
    // A volume of this kind is attached once, whatever it is used for.
    if (awsElasticBlockStore) return [{ id: `aws/${awsElasticBlockStore.volumeID}`, isReadOnly: false }]
    if (iscsi) return [{ id: `iscsi/${iscsi.iqn}`, isReadOnly: iscsi.readOnly === true }]
    if (!rbd) return []
    const image = `${rbd.pool ?? 'rbd'}/${rbd.image}`
    return rbd.monitors.map((monitor) => ({ id: `rbd/${monitor}/${image}`, isReadOnly: rbd.readOnly === true }))
  })
}
