import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'

interface WatchedObjectOptions {
  readonly client: Client
  readonly clock: Clock
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
}

const firstRetryMs = 500
const longestRetryMs = 30_000

/** One object of the API kept current by a watch of its own, for as long as somebody needs it. */
export class WatchedObject {
  readonly #options: WatchedObjectOptions
  readonly #stop = new AbortController()
  readonly #listeners = new Set<() => void>()
  #first = Promise.withResolvers<void>()
  #object: KubernetesObject | undefined
  #hasAnswer = false
  #hasFailed = false

  constructor(options: WatchedObjectOptions) {
    this.#options = options
    this.#first.promise.catch(() => undefined)
    void this.#run()
  }

  /** The object, or `undefined` when it does not exist. Rejects while the API cannot be asked. */
  async get(): Promise<KubernetesObject | undefined> {
    if (!this.#hasAnswer) await this.#first.promise
    return this.#object
  }

  /** Calls the listener after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get isUnused(): boolean {
    return this.#listeners.size === 0
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    let retryMs = firstRetryMs
    while (!this.#stop.signal.aborted) {
      try {
        await this.#listAndWatch()
        retryMs = firstRetryMs
        // A server that ends watches at once must not be asked without pause.
        await this.#options.clock.sleep(firstRetryMs, this.#stop.signal)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#fail(error)
        if (!isStatusError(error, 'Expired', 'Gone')) {
          await this.#options.clock.sleep(retryMs, this.#stop.signal).catch(() => undefined)
          retryMs = Math.min(retryMs * 2, longestRetryMs)
        }
      }
    }
  }

  async #listAndWatch(): Promise<void> {
    const { client, resource, namespace, name } = this.#options
    const { signal } = this.#stop
    const objects = client.resource(resource, namespace)
    const only = { fieldSelector: `metadata.name=${name}`, signal }
    const list = await objects.list(only)
    const [object] = list.items
    this.#set(object)
    // Upstream's reason for the field: nothing of such an object changes, and nobody need watch it.
    if ((object as { readonly immutable?: boolean } | undefined)?.immutable === true) return untilAborted(signal)
    for await (const event of objects.watch({
      ...only,
      resourceVersion: list.resourceVersion,
      allowWatchBookmarks: true,
    })) {
      if (event.type !== 'BOOKMARK') this.#set(event.type === 'DELETED' ? undefined : event.object)
    }
  }

  #set(object: KubernetesObject | undefined): void {
    // Whoever asked gets the first answer from `get`; telling them of it too would make them ask again.
    const isFirst = !this.#hasAnswer && !this.#hasFailed
    const isChange = !isFirst && object?.metadata.resourceVersion !== this.#object?.metadata.resourceVersion
    this.#object = object
    this.#hasAnswer = true
    this.#first.resolve()
    if (isChange) for (const listener of this.#listeners) listener()
  }

  /** Whoever waits for the first answer learns why there is none; the next one who asks waits for the next try. */
  #fail(error: unknown): void {
    if (this.#hasAnswer) return
    this.#hasFailed = true
    this.#first.reject(error as Error)
    this.#first = Promise.withResolvers<void>()
    this.#first.promise.catch(() => undefined)
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  return promise
}
