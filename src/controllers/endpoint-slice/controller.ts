import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { endpointSlices, nodes, pods, services } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import { selectsPods, servicesOfPod } from '../service-pods.ts'
import { decideSlices, managedByLabel, managerName, serviceNameLabel } from './decide.ts'
import { endpointsOfService } from './endpoints-of-service.ts'
import { wantsZoneHints } from './hints.ts'
import { withZoneHints } from './zone-hints.ts'
import { addsTheSame, zoneLabel, zoneShares } from './zone-shares.ts'

const changesHelp = 'Number of EndpointSlice changes'

/** Publishes the pods behind every service with a selector as EndpointSlices. */
export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  queueName: 'endpoint_slice',
  eventSource: 'endpoint-slice-controller',
  watches: [
    watchOf(services),
    watchOf(pods, servicesOfPod),
    watchOf(endpointSlices, serviceOfSlice),
    watchOf(nodes, servicesOfZoneChange),
  ],
  writes: [{ resource: endpointSlices, verbs: ['create', 'update', 'delete'] }],
  reconcile,
})

function isOurs({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[managedByLabel] === managerName
}

function serviceOfSlice(
  slice: EndpointSlice,
  _context: ControllerContext,
  previous?: EndpointSlice,
): readonly string[] {
  const ours = [slice, ...(previous === undefined ? [] : [previous])].filter(isOurs)
  return [...new Set(ours.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`))]
}

/** A zone that a node gains, loses or changes stands in every endpoint on it; its processors count where zones share. */
function servicesOfZoneChange(node: Node, { informers }: ControllerContext, previous?: Node): readonly string[] {
  const isSameZone = node.metadata.labels?.[zoneLabel] === previous?.metadata.labels?.[zoneLabel]
  if (isSameZone && previous !== undefined && addsTheSame(node, previous)) return []
  return informers
    .of(services)
    .list()
    .filter((service) => !isSameZone || wantsZoneHints(service))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}

async function reconcile(key: string, context: ControllerContext): Promise<void> {
  const { informers, client, events, metrics } = context
  const { namespace, name } = splitKey(key)
  const service = informers.of(services).get(name, namespace)
  // The slices of a deleted service are garbage by their owner reference.
  if (service === undefined || service.metadata.deletionTimestamp !== undefined || !selectsPods(service)) return
  const found = endpointsOfService(service, informers.of(pods).list(namespace), (node) => informers.of(nodes).get(node))
  const existing = slicesOf(context)(key)
  const { groups, news } = withZoneHints(service, found, existing, () => zoneShares(informers.of(nodes).list()))
  for (const { type, reason, message } of news) events.record(service, type, reason, message)
  const changes = decideSlices(service, groups, existing)
  const collection = client.resource(endpointSlices, namespace)
  try {
    for (const slice of changes.create) await collection.create(slice)
    for (const slice of changes.update) await collection.update(slice)
    for (const { metadata } of changes.delete) await collection.delete(metadata.name).catch(unlessGone)
    for (const [operation, slices] of Object.entries(changes)) {
      if (slices.length > 0)
        metrics.counter('endpoint_slice_controller_changes', changesHelp).add({ operation }, slices.length)
    }
  } catch (error) {
    if (isNamespaceTerminating(error)) return
    if (!isStatusError(error, 'Conflict')) {
      const message = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`
      events.record(service, 'Warning', 'FailedToUpdateEndpointSlices', message)
    }
    throw error
  }
}

function slicesOf({ informers }: ControllerContext): (key: string) => readonly EndpointSlice[] {
  return informers
    .of(endpointSlices)
    .index('managed-service', (slice) =>
      isOurs(slice) ? [`${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel]}`] : [],
    )
}

function unlessGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound')) throw error
}
