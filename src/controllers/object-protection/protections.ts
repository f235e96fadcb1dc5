import { podClaimNames } from '#api/core/v1/volume-facts.ts'
import { isPodBound } from '#api/core/v1/pod-facts.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, persistentVolumes, pods, volumeAttributesClasses } from '#api/types/resources.ts'
import { watchOf, type Controller } from '#reconcile/controller.ts'
import { protectionController } from './protection.ts'

/** A claim stays as long as a pod on a node names it (documentation page "Persistent Volumes", in-use protection). */
const claimProtection = protectionController<PersistentVolumeClaim>({
  name: 'pvc-protection-controller',
  resource: persistentVolumeClaims,
  finalizer: 'kubernetes.io/pvc-protection',
  users: [watchOf(pods, claimKeysOf)],
  isUsed: ({ metadata }, { informers }) => {
    const podsOf = informers.of(pods).index('volume-claim', claimKeysOf)
    return podsOf(`${metadata.namespace}/${metadata.name}`).some(isPodBound)
  },
  isUsedNow: async ({ metadata }, { client }) => {
    const { items } = await client.resource(pods, metadata.namespace).list()
    return items.some((pod) => isPodBound(pod) && podClaimNames(pod).includes(metadata.name))
  },
})

function claimKeysOf(pod: Pod): readonly string[] {
  return podClaimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`)
}

/** A volume stays as long as it is bound. */
const volumeProtection = protectionController<PersistentVolume>({
  name: 'pv-protection-controller',
  resource: persistentVolumes,
  finalizer: 'kubernetes.io/pv-protection',
  users: [],
  isUsed: ({ status }) => status?.phase === 'Bound',
})

/** A class of volume attributes stays as long as a claim or a volume names it (KEP-3751). */
const attributesClassProtection = protectionController({
  name: 'volumeattributesclass-protection-controller',
  resource: volumeAttributesClasses,
  finalizer: 'kubernetes.io/vac-protection',
  users: [
    watchOf(persistentVolumeClaims, (claim, _context, previous) =>
      formerNames(classesOfClaim(claim), previous && classesOfClaim(previous)),
    ),
    watchOf(persistentVolumes, (volume, _context, previous) =>
      formerNames(classesOfVolume(volume), previous && classesOfVolume(previous)),
    ),
  ],
  isUsed: ({ metadata }, { informers }) =>
    informers
      .of(persistentVolumeClaims)
      .list()
      .some((claim) => classesOfClaim(claim).includes(metadata.name)) ||
    informers
      .of(persistentVolumes)
      .list()
      .some((volume) => classesOfVolume(volume).includes(metadata.name)),
})

function formerNames(names: readonly string[], before: readonly string[] = []): readonly string[] {
  return [...new Set([...names, ...before])]
}

function classesOfClaim({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return names.filter((name) => name !== undefined && name !== '') as string[]
}

function classesOfVolume({ spec }: PersistentVolume): readonly string[] {
  return spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []
}

/** One controller for each resource whose objects must outlive their use. */
export const protectionControllers: readonly Controller[] = [
  claimProtection,
  volumeProtection,
  attributesClassProtection,
]
