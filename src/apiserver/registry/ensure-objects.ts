import type { Draft } from '#api/kind.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { trackUpdate } from '#api/meta/server-side-apply/apply.ts'
import { emptySet } from '#api/meta/server-side-apply/field-set.ts'
import { formatTime } from '#lib/clock.ts'
import { maxConditionsPerCommit } from '#storage/commit-plan.ts'
import { ConflictError, type Change } from '#storage/store.ts'
import type { BootstrapObject, BootstrapStore } from '../bootstrap/bootstrap-store.ts'
import type { ServerParts } from '../server-parts.ts'
import { deepCopy } from './deep-copy.ts'
import { applyDefaults } from './defaults.ts'
import { setManagers } from './field-managers.ts'
import { findStored } from './read.ts'
import { storageKey, type ServedResource } from './served-resource.ts'

/** Writes objects past authentication and admission; another server may be doing the same. */
export function bootstrapStore(server: ServerParts): BootstrapStore {
  return {
    async ensure(objects) {
      for (let start = 0; start < objects.length; start += maxConditionsPerCommit) {
        await ensureSome(server, objects.slice(start, start + maxConditionsPerCommit))
      }
    },
  }
}

const attempts = 5

async function ensureSome(server: ServerParts, objects: readonly BootstrapObject[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await server.feed.current()
    const changes = objects.map((object) => changeFor(server, object)).filter((change) => change !== undefined)
    if (changes.length === 0) return
    try {
      const { revision } = await server.store.commit(changes)
      return await server.feed.reached(revision)
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= attempts) throw error
    }
  }
}

function changeFor(server: ServerParts, { resource, object, merge }: BootstrapObject): Change | undefined {
  const served = server.resources.find(resource.group, resource.version, resource.plural)
  if (served === undefined) throw new TypeError(`The resource ${resource.plural} is not served`)
  const { name, namespace = '' } = object.metadata
  const key = storageKey(served, namespace, name)
  const stored = findStored(server, served, namespace, name)
  if (stored === undefined) return { key, value: encodeNew(server, served, object as KubernetesObject), ifRevision: 0 }
  const merged = merge?.(stored.object)
  if (merged === undefined || isSameJson(merged, stored.object)) return undefined
  return { key, value: server.codec.encode(deepCopy(merged)), ifRevision: stored.revision }
}

/** What is stored of an object that the server itself creates. */
export function encodeNew(server: ServerParts, resource: ServedResource, object: KubernetesObject): Uint8Array {
  const draft: Draft<KubernetesObject> = deepCopy(object)
  const { metadata } = draft
  metadata.uid = server.random.uuid()
  metadata.creationTimestamp = formatTime(server.clock.now())
  if (resource.rules.hasGeneration) metadata.generation = 1
  applyDefaults(resource, draft)
  const writer = {
    manager: 'kube-apiserver',
    apiVersion: draft.apiVersion,
    subresource: '',
    now: metadata.creationTimestamp,
  }
  const tracked = {
    ...writer,
    ignored: emptySet,
    node: resource.node,
    live: undefined,
    object: draft as KubernetesObject,
  }
  setManagers(draft, trackUpdate(tracked))
  return server.codec.encode(draft)
}
