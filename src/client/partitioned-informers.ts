import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Informer, InformerListener, InformerOptions, Informers } from './informer.ts'

/** A resource of which many readers want the objects with one value of a field each. */
export interface Partition {
  readonly resource: Resource
  /** The field selector's field, such as `spec.nodeName`. */
  readonly field: string
  readonly valueOf: (object: KubernetesObject) => string
}

/** A row of `partitionedInformers`, with its types checked. */
export function partitionOf<T extends KubernetesObject>(
  resource: Resource<T>,
  field: string,
  valueOf: (object: T) => string,
): Partition {
  return { resource: resource as unknown as Resource, field, valueOf: valueOf as unknown as Partition['valueOf'] }
}

/**
 * Informers that answer `field=value` from one copy of all objects instead of a watch for each value: for a process
 * that plays many nodes. Everything else, `stop` included, is the shared informers' own.
 */
export function partitionedInformers(shared: Informers, partitions: readonly Partition[]): Informers {
  const routers = new Map<Partition, Router>()
  return {
    release: (resource) => shared.release(resource),
    synced: (signal) => shared.synced(signal),
    stop: () => shared.stop(),
    of<T extends KubernetesObject>(resource: Resource<T>, options: InformerOptions = {}): Informer<T> {
      const partition = partitions.find((row) => isOf(row, resource as unknown as Resource, options))
      if (partition === undefined) return shared.of(resource, options)
      const router = routers.get(partition) ?? new Router(shared.of(partition.resource), partition)
      routers.set(partition, router)
      const value = options.fieldSelector?.slice(partition.field.length + 1) ?? ''
      return router.view(value) as unknown as Informer<T>
    },
  }
}

function isOf({ resource, field }: Partition, wanted: Resource, options: InformerOptions): boolean {
  if (resource.group !== wanted.group || resource.plural !== wanted.plural) return false
  if (options.namespace !== undefined || options.labelSelector !== undefined) return false
  return options.fieldSelector?.startsWith(`${field}=`) === true && !options.fieldSelector.includes(',')
}

type Listeners = Set<InformerListener<KubernetesObject>>

/** Hands the events of one informer to those that follow the object's value; nobody else pays for them. */
class Router {
  readonly #base: Informer<KubernetesObject>
  readonly #partition: Partition
  readonly #listeners = new Map<string, Listeners>()
  readonly #ofValue: (value: string) => readonly KubernetesObject[]

  constructor(base: Informer<KubernetesObject>, partition: Partition) {
    this.#base = base
    this.#partition = partition
    const { valueOf } = partition
    this.#ofValue = base.index(`partition ${partition.field}`, (object) => [valueOf(object)])
    base.listen({
      added: (object) => this.#tell(valueOf(object), (listener) => listener.added?.(object)),
      updated: (object, previous) => this.#update(object, previous),
      deleted: (object) => this.#tell(valueOf(object), (listener) => listener.deleted?.(object)),
    })
  }

  view(value: string): Informer<KubernetesObject> {
    const base = this.#base
    const isMine = (object: KubernetesObject): boolean => this.#partition.valueOf(object) === value
    return {
      get hasSynced() {
        return base.hasSynced
      },
      get resourceVersion() {
        return base.resourceVersion
      },
      get(name, namespace) {
        const object = base.get(name, namespace)
        return object !== undefined && isMine(object) ? object : undefined
      },
      list: (namespace) => this.#list(value, namespace),
      listen: (listener) => this.#listen(value, listener),
      index(name, keysOf) {
        const find = base.index(`${name} of ${value}`, (object) => (isMine(object) ? keysOf(object) : []))
        return (key) => find(key)
      },
    }
  }

  #list(value: string, namespace: string | undefined): readonly KubernetesObject[] {
    const all = this.#ofValue(value)
    return namespace ? all.filter(({ metadata }) => metadata.namespace === namespace) : all
  }

  #listen(value: string, listener: InformerListener<KubernetesObject>): () => void {
    const listeners: Listeners = this.#listeners.get(value) ?? new Set()
    this.#listeners.set(value, listeners)
    listeners.add(listener)
    for (const object of this.#ofValue(value)) listener.added?.(object)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(value)
    }
  }

  /** An object that changes its value goes from one reader to another. */
  #update(object: KubernetesObject, previous: KubernetesObject): void {
    const [now, before] = [this.#partition.valueOf(object), this.#partition.valueOf(previous)]
    if (now === before) return this.#tell(now, (listener) => listener.updated?.(object, previous))
    this.#tell(before, (listener) => listener.deleted?.(object))
    this.#tell(now, (listener) => listener.added?.(object))
  }

  #tell(value: string, call: (listener: InformerListener<KubernetesObject>) => void): void {
    for (const listener of this.#listeners.get(value) ?? []) call(listener)
  }
}
