import { keyOf } from '#api/meta/resource.ts'
import type { PersistentVolume } from '#api/types/core.v1.ts'
import { definePlugin } from '../framework.ts'
import { knownClaims } from '../volumes/pod-claims.ts'

const rejection = { plugin: 'VolumeZone', reason: 'node(s) had no available volume zone', unresolvable: true }

/** Each label and the name it had before; nodes and volumes may carry either. */
const labels = [
  ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
] as const
/** Between the zones of a volume that is in several. */
const separator = '__'

/** A volume with the label of a zone or region can be used only there. Nodes without such labels take any. */
export const volumeZone = definePlugin<readonly (readonly (string | undefined)[])[]>({
  name: 'VolumeZone',
  preFilter({ pod }, { objects }) {
    const places = knownClaims(pod, objects)
      .flatMap(({ spec }) => objects.volumes.get(spec.volumeName ?? '') ?? [])
      .map(placeOf)
      .filter((place) => place.some((value) => value !== undefined))
    return places.length === 0 ? 'skip' : places
  },
  filter(_pod, { node }, places) {
    const own = labels.map(([name, former]) => node.metadata.labels?.[name] ?? node.metadata.labels?.[former])
    if (own.every((value) => value === undefined)) return undefined
    const isThere = places.every((place) =>
      place.every((value, index) => value === undefined || value.split(separator).includes(own[index] ?? '')),
    )
    return isThere ? undefined : rejection
  },
  remedy: (_pod, { name }) => `use volumes in the zone of ${name}`,
  helpedBy(change, pod) {
    if (change.type === 'storageChanged') {
      const { object, isGone } = change
      if (object.kind === 'PersistentVolumeClaim') return !isGone && pod.claimKeys.includes(keyOf(object))
      return !isGone && (object.kind === 'PersistentVolume' || object.kind === 'StorageClass')
    }
    if (change.type === 'nodeAdded') return true
    if (change.type !== 'nodeUpdated') return false
    return JSON.stringify(change.node.metadata.labels) !== JSON.stringify(change.previous.metadata.labels)
  },
})

function placeOf({ metadata }: PersistentVolume): readonly (string | undefined)[] {
  return labels.map(([name, former]) => metadata.labels?.[name] ?? metadata.labels?.[former])
}
