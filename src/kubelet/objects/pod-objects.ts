import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import type { Informer, InformerOptions, Informers, Lister } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import { ServedCollections } from './served-collections.ts'
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
  /**
   * The local copy of a whole collection, opened on first use. The pod is told of changes of the objects that concern it.
   * Throws what to say where the cluster does not serve the collection, or does not answer in time.
   */
  follow<T extends KubernetesObject>(resource: Resource<T>, wish: CollectionWish<T>): Promise<Lister<T>>
  /** The pod needs nothing any more. */
  release(): void
}

/** Which part of a collection a pod follows, and what of it matters to the pod. */
export interface CollectionWish<T> {
  /** Tells this wish from the others of the pod for the same collection. */
  readonly key: string
  readonly options?: InformerOptions
  readonly concerns: (object: T) => boolean
}

/** Shares the watches of objects among all pods of a node. A watch lives as long as one pod needs it. */
export interface ObjectSource {
  forPod(namespace: string, onChange: () => void): PodObjects
  stop(): void
}

export interface ObjectSourceOptions {
  readonly client: Client
  readonly clock: Clock
  readonly informers: Informers
}

export function createObjectSource({ client, clock, informers }: ObjectSourceOptions): ObjectSource {
  const collections = new ServedCollections({ client, clock, informers })
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
      const releases = new Map<WatchedObject | string, () => void>()
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
        async follow<T extends KubernetesObject>(resource: Resource<T>, { key, options, concerns }: CollectionWish<T>) {
          const informer = await collections.open(resource, options)
          const id = `${resource.plural} ${key}`
          if (!releases.has(id)) releases.set(id, listenFor(informer, concerns, onChange))
          return informer
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

/** What is there already is no change: whoever asks reads it. */
function listenFor<T extends KubernetesObject>(
  informer: Informer<T>,
  concerns: (object: T) => boolean,
  onChange: () => void,
): () => void {
  let isListening = false
  const tell = (...objects: readonly T[]): void => {
    if (isListening && objects.some(concerns)) onChange()
  }
  const remove = informer.listen({ added: tell, updated: tell, deleted: tell })
  isListening = true
  return remove
}
