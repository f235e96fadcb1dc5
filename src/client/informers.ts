import { keyOf, type KubernetesObject, type Resource } from '#api/meta/resource.ts'
import type { Log } from '#lib/log.ts'
import type { ObjectList, WatchEvent } from './client.ts'
import type { Informer, InformerListener, InformerOptions, Informers } from './informer.ts'
import { ObjectIndex } from './object-index.ts'
import { reflect, type ReflectorContext, type ReflectorSink } from './reflector.ts'

export type InformersContext = Omit<ReflectorContext, 'signal'>

/** Settings for a server across a network; in-process informers need none of them. */
export const remoteInformerSettings = { pageSize: 500, watchTimeoutSeconds: 300 } as const

/** The informers of one process: one list and one watch per resource, namespace and selector. */
export function createInformers(context: InformersContext): Informers {
  const stopping = new AbortController()
  const running = new Map<string, Running>()
  /** Of those without options: asked for at each event, by values that stay. */
  const whole = new WeakMap<Resource, Running>()
  const find = (resource: Resource, options: InformerOptions): Running => {
    const key = informerKey(resource, options)
    const known = running.get(key)
    if (known !== undefined) return known
    const made = new Running(resource, options, { ...context, signal: stopping.signal })
    running.set(key, made)
    return made
  }
  return {
    of<T extends KubernetesObject>(resource: Resource<T>, options?: InformerOptions): Informer<T> {
      let known = options === undefined ? whole.get(resource) : undefined
      if (known === undefined) {
        known = find(resource, options ?? {})
        if (options === undefined) whole.set(resource, known)
      }
      known.resume()
      return known.informer as unknown as Informer<T>
    },
    release(resource) {
      const prefix = informerKey(resource, {}).trimEnd()
      for (const [key, each] of running) if (key.startsWith(`${prefix}\n`)) each.pause()
    },
    async synced(signal) {
      const all = Promise.all([...running.values()].map(({ informer }) => informer.whenSynced))
      await (signal === undefined ? all : Promise.race([all, aborted(signal)]))
    },
    async stop() {
      stopping.abort()
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
  }
}

/** One informer and what keeps it current. */
class Running {
  readonly informer: CachedInformer<KubernetesObject>
  readonly #resource: Resource
  readonly #options: InformerOptions
  readonly #context: ReflectorContext
  #pausing: AbortController | undefined
  ended: Promise<void> = Promise.resolve()

  constructor(resource: Resource, options: InformerOptions, context: ReflectorContext) {
    this.informer = new CachedInformer<KubernetesObject>(context.log.with({ informer: resource.plural }))
    this.#resource = resource
    this.#options = options
    this.#context = context
  }

  resume(): void {
    if (this.#pausing !== undefined) return
    const pausing = (this.#pausing = new AbortController())
    const signal = AbortSignal.any([this.#context.signal, pausing.signal])
    const before = this.ended
    this.ended = before.then(() =>
      signal.aborted ? undefined : reflect(this.#resource, this.#options, this.informer, { ...this.#context, signal }),
    )
  }

  pause(): void {
    if (this.#pausing === undefined) return
    this.#pausing.abort()
    this.#pausing = undefined
    this.informer.clear()
  }
}

function informerKey(resource: Resource, options: InformerOptions): string {
  const { namespace = '', labelSelector = '', fieldSelector = '' } = options
  return [resource.group, resource.version, resource.plural, namespace, labelSelector, fieldSelector].join('\n')
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** Turns lists and watch events into a cache and into calls of listeners. */
class CachedInformer<T extends KubernetesObject> implements Informer<T>, ReflectorSink<T> {
  readonly #log: Log
  readonly #objects = new ObjectIndex<T>()
  readonly #listeners = new Set<InformerListener<T>>()
  readonly #synced = Promise.withResolvers<void>()
  #resourceVersion = ''

  constructor(log: Log) {
    this.#log = log
  }

  get hasSynced(): boolean {
    return this.#resourceVersion !== ''
  }

  get resourceVersion(): string {
    return this.#resourceVersion
  }

  get whenSynced(): Promise<void> {
    return this.#synced.promise
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(namespace === undefined || namespace === '' ? name : `${namespace}/${name}`)
  }

  list(namespace?: string): readonly T[] {
    return this.#objects.list(namespace)
  }

  index(name: string, keysOf: (object: T) => readonly string[]): (key: string) => readonly T[] {
    return this.#objects.index(name, keysOf)
  }

  listen(listener: InformerListener<T>): () => void {
    this.#listeners.add(listener)
    for (const object of this.#objects.list()) this.#call(listener, 'added', object)
    return () => this.#listeners.delete(listener)
  }

  replace(list: ObjectList<T>): void {
    const gone = new Set(this.#objects.keys())
    this.#resourceVersion = list.resourceVersion
    for (const object of list.items) {
      gone.delete(keyOf(object))
      this.#put(object)
    }
    for (const key of gone) this.#remove(key, undefined)
    this.#synced.resolve()
  }

  /** Nothing is known any more: what was is told as deleted. */
  clear(): void {
    this.#resourceVersion = ''
    for (const key of this.#objects.keys()) this.#remove(key, undefined)
    this.#synced.resolve()
  }

  apply(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion
      return
    }
    this.#resourceVersion = event.object.metadata.resourceVersion
    if (event.type === 'DELETED') this.#remove(keyOf(event.object), event.object)
    else this.#put(event.object)
  }

  #put(object: T): void {
    const previous = this.#objects.put(object)
    if (previous === undefined) return this.#tell('added', object)
    if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return
    if (previous.metadata.uid === object.metadata.uid) return this.#tell('updated', object, previous)
    // Deleted and made again while nobody watched: two events, or the first object's end would go unnoticed.
    this.#tell('deleted', previous)
    this.#tell('added', object)
  }

  /** `last` is the final state if the watch told it; otherwise the last known one is reported. */
  #remove(key: string, last: T | undefined): void {
    const previous = this.#objects.remove(key)
    if (previous !== undefined) this.#tell('deleted', last ?? previous)
  }

  #tell(what: keyof InformerListener<T>, object: T, previous?: T): void {
    for (const listener of this.#listeners) this.#call(listener, what, object, previous)
  }

  #call(listener: InformerListener<T>, what: keyof InformerListener<T>, object: T, previous?: T): void {
    try {
      if (what === 'updated') listener.updated?.(object, previous as T)
      else listener[what]?.(object)
    } catch (error) {
      this.#log.error('A listener failed', { error })
    }
  }
}
