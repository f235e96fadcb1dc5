import { definePlugin } from '../framework.ts'
import { knownClaims } from '../volumes/pod-claims.ts'

const rejection = {
  plugin: 'VolumeRestrictions',
  reason: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
}

/** A claim with the access mode ReadWriteOncePod serves one pod of the whole cluster at a time (KEP-2485). */
export const volumeRestrictions = definePlugin<() => boolean>({
  name: 'VolumeRestrictions',
  prepare({ pod, namespace }, { objects, claimUsers }) {
    const exclusive = knownClaims(pod, objects)
      .filter(({ spec }) => spec.accessModes?.includes('ReadWriteOncePod'))
      .map(({ metadata }) => `${namespace}/${metadata.name}`)
    return exclusive.length === 0 ? 'skip' : () => exclusive.some((key) => claimUsers(key) > 0)
  },
  filter: (_pod, _node, isInUse) => (isInUse() ? rejection : undefined),
  helpedBy(change, pod) {
    if (change.type === 'storageChanged') return change.object.kind === 'PersistentVolumeClaim'
    return change.type === 'podFreed' && pod.claimKeys.some((key) => change.pod.claimKeys.includes(key))
  },
})
