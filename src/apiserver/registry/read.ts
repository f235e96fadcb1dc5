import type { KubernetesObject } from '#api/meta/resource.ts'
import { notFound } from '#api/meta/status.ts'
import type { ResourceContext } from '../request-context.ts'
import type { StoredObject } from '../cache/stored-object.ts'
import type { ServerParts } from '../server-parts.ts'
import { storageKey, type ServedResource } from './served-resource.ts'

/** The object that the request names, in the served version. The cache must be current. Throws `NotFound`. */
export function requireObject(context: ResourceContext): KubernetesObject {
  const { resource, info, server } = context
  const stored = findStored(server, resource, info.namespace, info.name)
  if (stored === undefined) throw notFound({ group: resource.group, resource: resource.plural, name: info.name })
  return served(resource, stored.object)
}

/** Makes the object ready for `requireObject`, where others convert it. */
export async function prepareObject({ resource, info, server }: ResourceContext): Promise<void> {
  const stored = findStored(server, resource, info.namespace, info.name)
  if (stored !== undefined) await resource.storage.convert?.prepareServed?.([stored.object])
}

export function findStored(
  server: Pick<ServerParts, 'caches'>,
  resource: ServedResource,
  namespace: string,
  name: string,
): StoredObject | undefined {
  return server.caches.of(resource.storage.prefix).get(storageKey(resource, namespace, name))
}

/** A stored object in the version of the resource. */
export function served(resource: ServedResource, stored: KubernetesObject): KubernetesObject {
  const { convert } = resource.storage
  return convert === undefined ? stored : convert.toServed(stored)
}
