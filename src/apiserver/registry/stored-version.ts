import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { deepCopy } from './deep-copy.ts'
import type { ResourceContext } from '../request-context.ts'
import { collectionPrefix, type ServedResource } from './served-resource.ts'

/**
 * Makes what `served` and `toStored` need where a conversion takes time: asks a webhook about all objects at once.
 * Undefined where nothing has to be waited for.
 */
export function prepareServed(
  { storage }: ServedResource,
  objects: readonly KubernetesObject[],
): Promise<void> | undefined {
  return storage.convert?.prepareServed?.(objects)
}

/** The same for all objects of a collection, before a selection by their own fields looks at each. */
export async function prepareCollection(
  { resource, info, server, request }: ResourceContext,
  fieldSelector: string,
): Promise<void> {
  if (fieldSelector === '' || resource.storage.convert?.prepareServed === undefined) return
  await server.feed.current(request.signal)
  const cache = server.caches.of(resource.storage.prefix)
  await prepareServed(resource, cache.objects(collectionPrefix(resource, info.namespace)))
}

export function prepareStored({ storage }: ServedResource, object: Draft<KubernetesObject>): Promise<void> | undefined {
  return storage.convert?.prepareStored?.(object as KubernetesObject)
}

/** The draft in the version its resource is stored in; the draft itself where that is the served one. */
export function toStored({ storage }: ServedResource, draft: Draft<KubernetesObject>): Draft<KubernetesObject> {
  if (storage.convert === undefined) return draft
  return deepCopy(storage.convert.toStored(draft as KubernetesObject))
}

/** The same for a reader who waits. */
export async function inStoredVersion(resource: ServedResource, object: KubernetesObject): Promise<KubernetesObject> {
  const { convert } = resource.storage
  if (convert === undefined) return object
  await convert.prepareStored?.(object)
  return convert.toStored(object)
}

export async function inServedVersion(resource: ServedResource, stored: KubernetesObject): Promise<KubernetesObject> {
  const { convert } = resource.storage
  if (convert === undefined) return stored
  await convert.prepareServed?.([stored])
  return convert.toServed(stored)
}
