import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { conflict } from '#api/meta/status.ts'
import { ConflictError } from '#storage/store.ts'
import type { ServerParts } from '../server-parts.ts'
import { deepCopy } from './deep-copy.ts'
import { storageKey } from './served-resource.ts'
import { toStored } from './stored-version.ts'
import type { Draft } from '#api/kind.ts'
import type { ServedResource } from './served-resource.ts'
import { findStored } from './read.ts'
import { formatTime } from '#lib/clock.ts'
import { ignoredFields } from '#api/meta/server-side-apply/baseline.ts'
import { setManagers } from './field-managers.ts'
import { trackUpdate } from '#api/meta/server-side-apply/apply.ts'

type StatusWriter = (resource: Resource, object: KubernetesObject) => Promise<void>

/**
 * Writes an object with a new status as the server itself, past admission, if nobody wrote it since `object` was read.
 * Resolves, and rejects with Conflict, when readers see the newest state.
 */
export function statusWriter(
  server: Pick<ServerParts, 'store' | 'codec' | 'resources' | 'feed' | 'caches' | 'clock'>,
): StatusWriter {
  return async (resource, object) => {
    const served = server.resources.find(resource.group, resource.version, resource.plural)
    if (served === undefined) throw new TypeError(`The resource ${resource.plural} is not served`)
    const { name, namespace = '', resourceVersion } = object.metadata
    const draft = deepCopy(object)
    const live = findStored(server, served, namespace, name)
    if (live !== undefined) trackStatus(server, served, draft, live.object)
    const value = server.codec.encode(toStored(served, draft))
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

/** The server owns what it writes into a status, as any other writer does. */
function trackStatus(
  { clock }: Pick<ServerParts, 'clock'>,
  { node }: ServedResource,
  draft: Draft<KubernetesObject>,
  live: KubernetesObject,
): void {
  const writer = { manager: 'kube-apiserver', apiVersion: draft.apiVersion, subresource: 'status' }
  const now = formatTime(clock.now())
  const ignored = ignoredFields(node, 'status', true)
  setManagers(draft, trackUpdate({ ...writer, now, ignored, node, live, object: draft as KubernetesObject }))
}
