import { isDeepStrictEqual } from 'node:util'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Endpoints, Service } from '#api/types/core.v1.ts'
import { endpoints, pods, services } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceTerminating } from '../pod-from-template.ts'
import { isHeadless, selectsPods, servicesOfPod } from '../service-pods.ts'
import { decideSubsets, type Subsets } from './decide.ts'

const headlessLabel = 'service.kubernetes.io/headless'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const managerName = 'endpoint-controller'
const capacityAnnotation = 'endpoints.kubernetes.io/over-capacity'

/** Publishes the pods behind services as Endpoints too, for clients older than EndpointSlices. */
export const endpointsController = defineController({
  name: 'endpoint-controller',
  watches: [watchOf(services), watchOf(pods, servicesOfPod), watchOf(endpoints, keyOfManaged)],
  writes: [{ resource: endpoints, verbs: ['create', 'update', 'delete'] }],
  reconcile,
})

/** Endpoints made by others, such as leader elections of old, are none of our business. */
function keyOfManaged({ metadata }: Endpoints): readonly string[] {
  return metadata.labels?.[managedByLabel] === managerName ? [`${metadata.namespace}/${metadata.name}`] : []
}

async function reconcile(key: string, { informers, client }: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const service = informers.of(services).get(name, namespace)
  const current = informers.of(endpoints).get(name, namespace)
  const collection = client.resource(endpoints, namespace)
  if (service === undefined) {
    if (current !== undefined && keyOfManaged(current).length > 0) await collection.delete(name).catch(unlessGone)
    return
  }
  if (!selectsPods(service)) return
  const wanted = wantedEndpoints(service, decideSubsets(service, informers.of(pods).list(namespace)), current)
  try {
    if (current === undefined) await collection.create(wanted)
    else if (!isSame(current, wanted)) await collection.update({ ...current, ...wanted })
  } catch (error) {
    if (!isNamespaceTerminating(error)) throw error
  }
}

function wantedEndpoints(service: Service, { subsets, isTruncated }: Subsets, current: Endpoints | undefined) {
  const { name, namespace, labels } = service.metadata
  const { [headlessLabel]: _headless, ...copied } = labels ?? {}
  const { [capacityAnnotation]: _capacity, ...annotations } = current?.metadata.annotations ?? {}
  const metadata = {
    ...current?.metadata,
    name,
    namespace,
    labels: { ...copied, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}), [managedByLabel]: managerName },
    annotations: { ...annotations, ...(isTruncated ? { [capacityAnnotation]: 'truncated' } : {}) },
  } as Endpoints['metadata']
  return { metadata, subsets }
}

function isSame(current: Endpoints, { metadata, subsets }: Pick<Endpoints, 'metadata' | 'subsets'>): boolean {
  return (
    isDeepStrictEqual(current.subsets ?? [], subsets ?? []) &&
    isDeepStrictEqual(current.metadata.labels ?? {}, metadata.labels) &&
    isDeepStrictEqual(current.metadata.annotations ?? {}, metadata.annotations)
  )
}

function unlessGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound')) throw error
}
