import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { ephemeralClaimName } from '#api/core/v1/volume-facts.ts'
import { controllerReference, isControlledBy } from '#api/meta/owner.ts'
import { keyOf, splitKey, type New } from '#api/meta/resource.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, pods } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'

/** Makes the claims that pods ask for in themselves; each is the pod's and goes with it (KEP-1698). */
export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  eventSource: 'ephemeral_volume',
  watches: [watchOf(pods, (pod) => (isWanting(pod) ? [keyOf(pod)] : [])), watchOf(persistentVolumeClaims, podOfClaim)],
  writes: [{ resource: persistentVolumeClaims, verbs: ['create'] }],
  reconcile,
})

function ephemeralVolumes({ spec }: Pod): readonly Volume[] {
  return spec.volumes?.filter(({ ephemeral }) => ephemeral !== undefined) ?? []
}

function isWanting(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isPodTerminal(pod) && ephemeralVolumes(pod).length > 0
}

/** A claim that was deleted under a pod is made again. */
function podOfClaim({ metadata }: PersistentVolumeClaim): readonly string[] {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  return owner?.kind === 'Pod' ? [`${metadata.namespace}/${owner.name}`] : []
}

/** The claim for one of the pod's ephemeral volumes. */
function claimFor(pod: Pod, { name, ephemeral }: Volume): New<PersistentVolumeClaim> {
  const { metadata, spec } = ephemeral?.volumeClaimTemplate ?? {}
  return {
    metadata: {
      name: ephemeralClaimName(pod.metadata.name, name),
      namespace: pod.metadata.namespace,
      ...(metadata?.labels && { labels: metadata.labels }),
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ownerReferences: [controllerReference(pod)],
    },
    spec: spec ?? {},
  }
}

async function reconcile(key: string, { informers, client, events }: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const pod = informers.of(pods).get(name, namespace)
  if (pod === undefined || !isWanting(pod)) return
  for (const volume of ephemeralVolumes(pod)) {
    const claim = claimFor(pod, volume)
    const known = informers.of(persistentVolumeClaims).get(claim.metadata.name ?? '', namespace)
    if (known !== undefined && isControlledBy(known, pod)) continue
    try {
      if (known !== undefined) {
        throw new Error(`PVC ${keyOf(known)} was not created for pod ${key} (pod is not owner)`)
      }
      await client.resource(persistentVolumeClaims, namespace).create(claim)
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      events.record(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${messageOf(error)}`)
      throw error
    }
  }
}
