import { compareQuantities } from '#api/meta/quantity.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import type { PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, persistentVolumes } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'

/** Says of claims that ask for more than they have who is to give it: volumes grow by their drivers' own resizers. */
export const volumeExpansionController = defineController({
  name: 'expand-controller',
  eventSource: 'volume_expand',
  watches: [
    watchOf(persistentVolumeClaims, (claim, _context, before) =>
      wantsMore(claim) && (before === undefined || request(before) !== request(claim)) ? [keyOf(claim)] : [],
    ),
  ],
  writes: [{ resource: persistentVolumes, verbs: ['get'] }],
  reconcile,
})

const request = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.['storage'] ?? '0'

function wantsMore(claim: PersistentVolumeClaim): boolean {
  const { phase, capacity } = claim.status ?? {}
  return phase === 'Bound' && compareQuantities(request(claim), capacity?.['storage'] ?? '0') > 0
}

async function reconcile(key: string, { informers, client, events }: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const claim = informers.of(persistentVolumeClaims).get(name, namespace)
  if (claim === undefined || !wantsMore(claim)) return
  const volume = await client.resource(persistentVolumes).get(claim.spec.volumeName ?? '')
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) return
  events.record(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
}
