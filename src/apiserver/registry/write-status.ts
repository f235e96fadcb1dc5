import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { conflict } from '#api/meta/status.ts'
import { ConflictError } from '#storage/store.ts'
import type { ServerParts } from '../server-parts.ts'
import { deepCopy } from './deep-copy.ts'
import { storageKey } from './served-resource.ts'
import { toStored } from './stored-version.ts'

type StatusWriter = (resource: Resource, object: KubernetesObject) => Promise<void>

/**
 * Writes an object with a new status as the server itself, past admission, if nobody wrote it since `object` was read.
 * Resolves, and rejects with Conflict, when readers see the newest state.
 */
export function statusWriter(server: Pick<ServerParts, 'store' | 'codec' | 'resources' | 'feed'>): StatusWriter {
  return async (resource, object) => {
    const served = server.resources.find(resource.group, resource.version, resource.plural)
    if (served === undefined) throw new TypeError(`The resource ${resource.plural} is not served`)
    const { name, namespace = '', resourceVersion } = object.metadata
    const value = server.codec.encode(toStored(served, deepCopy(object)))
    const change = { key: storageKey(served, namespace, name), value, ifRevision: Number(resourceVersion) }
    try {
      const { revision } = await server.store.commit([change])
      await server.feed.reached(revision)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      await server.feed.current()
      throw conflict({ group: served.group, resource: served.plural, name })
    }
  }
}
