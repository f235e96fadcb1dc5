import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import { WatchedObject } from './watched-object.ts'

/** The objects that one pod refers to: config maps and secrets are looked up on first use, then kept current. */
export interface PodObjects {
  /** `undefined` when the object does not exist. The pod is told when that, or the object, changes. */
  get<T extends KubernetesObject>(resource: Resource<T>, name: string): Promise<T | undefined>
  /**
   * Asks the API for an object once, in the pod's namespace or in none: for what nodes may read but not watch, such as
   * claims. `undefined` when it does not exist.
   */
  lookUp<T extends KubernetesObject>(resource: Resource<T>, name: string): Promise<T | undefined>
  /** The pod needs nothing any more. */
  release(): void
}

/** Shares the watches of objects among all pods of a node. A watch lives as long as one pod needs it. */
export interface ObjectSource {
  forPod(namespace: string, onChange: () => void): PodObjects
  stop(): void
}

export function createObjectSource({
  client,
  clock,
}: {
  readonly client: Client
  readonly clock: Clock
}): ObjectSource {
  const watched = new Map<string, WatchedObject>()
  const open = (resource: Resource, namespace: string, name: string): WatchedObject => {
    const key = `${resource.plural}/${namespace}/${name}`
    const existing = watched.get(key)
    if (existing) return existing
    const created = new WatchedObject({ client, clock, resource, namespace, name })
    watched.set(key, created)
    return created
  }
  const dropUnused = (): void => {
    for (const [key, object] of watched) {
      if (!object.isUnused) continue
      object.stop()
      watched.delete(key)
    }
  }
  return {
    forPod(namespace, onChange) {
      const releases = new Map<WatchedObject, () => void>()
      return {
        async get<T extends KubernetesObject>(resource: Resource<T>, name: string) {
          const object = open(resource as unknown as Resource, namespace, name)
          if (!releases.has(object)) releases.set(object, object.listen(onChange))
          return (await object.get()) as T | undefined
        },
        async lookUp<T extends KubernetesObject>(resource: Resource<T>, name: string) {
          const scoped = resource.namespaced ? client.resource(resource, namespace) : client.resource(resource)
          return scoped.get(name).catch((error: unknown) => {
            if (isStatusError(error, 'NotFound')) return undefined
            throw error
          })
        },
        release() {
          for (const release of releases.values()) release()
          releases.clear()
          dropUnused()
        },
      }
    },
    stop() {
      for (const object of watched.values()) object.stop()
      watched.clear()
    },
  }
}
