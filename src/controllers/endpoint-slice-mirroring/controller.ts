import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { endpoints, endpointSlices, services } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { managedByLabel, serviceNameLabel } from '../endpoint-slice/decide.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import { decideMirror, isMirrored, maxAddresses, mirrorName } from './decide.ts'

/** Publishes Endpoints that people write for services without selectors as EndpointSlices. */
export const endpointSliceMirroringController = defineController({
  name: 'endpointslicemirroring-controller',
  queueName: 'endpoint_slice_mirroring',
  eventSource: 'endpoint-slice-mirroring-controller',
  watches: [watchOf(endpoints), watchOf(services), watchOf(endpointSlices, mirroredKeys)],
  writes: [{ resource: endpointSlices, verbs: ['create', 'update', 'delete'] }],
  reconcile,
})

function mirroredKeys({ metadata }: EndpointSlice): readonly string[] {
  if (metadata.labels?.[managedByLabel] !== mirrorName) return []
  return [`${metadata.namespace}/${metadata.labels[serviceNameLabel]}`]
}

async function reconcile(key: string, { informers, client, events }: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const existing = informers.of(endpointSlices).index('mirrored-endpoints', mirroredKeys)(key)
  const source = informers.of(endpoints).get(name, namespace)
  const collection = client.resource(endpointSlices, namespace)
  const remove = async (slices: readonly EndpointSlice[]): Promise<void> => {
    for (const { metadata } of slices) {
      await collection.delete(metadata.name).catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound')) throw error
      })
    }
  }
  if (source === undefined || !isMirrored(source, informers.of(services).get(name, namespace))) return remove(existing)
  const changes = decideMirror(source, existing)
  if (changes.skipped > 0) {
    const message = `A max of ${maxAddresses} addresses can be mirrored to EndpointSlices per Endpoints subset. ${changes.skipped} addresses were skipped`
    events.record(source, 'Warning', 'TooManyAddressesToMirror', message)
  }
  try {
    for (const slice of changes.create) await collection.create(slice)
    for (const slice of changes.update) await collection.update(slice)
    await remove(changes.delete)
  } catch (error) {
    if (isNamespaceTerminating(error)) return
    if (!isStatusError(error, 'Conflict')) {
      const message = `Error updating EndpointSlices for Endpoints ${keyOf(source)}: ${messageOf(error)}`
      events.record(source, 'Warning', 'FailedToUpdateEndpointSlices', message)
    }
    throw error
  }
}
