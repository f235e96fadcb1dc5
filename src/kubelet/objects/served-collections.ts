import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import type { Informer, InformerOptions, Informers } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'

interface Options {
  readonly client: Client
  readonly clock: Clock
  readonly informers: Informers
}

/** A pod that starts is not held up for longer: it is tried again. */
const longestWaitMs = 2_000

/** Copies of collections that the cluster may or may not serve: one that it does not is asked for again each time. */
export class ServedCollections {
  readonly #options: Options
  readonly #served = new Set<string>()

  constructor(options: Options) {
    this.#options = options
  }

  /** The copy, complete. Throws what to say where there is none, or none yet. */
  async open<T extends KubernetesObject>(resource: Resource<T>, options?: InformerOptions): Promise<Informer<T>> {
    const { informers, clock } = this.#options
    await this.#requireServed(resource as unknown as Resource)
    const informer = informers.of(resource, options)
    const waiting = new AbortController()
    if (!informer.hasSynced) {
      const synced = informers.synced(waiting.signal).catch(() => undefined)
      await Promise.race([synced, clock.sleep(longestWaitMs, waiting.signal).catch(() => undefined)])
      waiting.abort()
    }
    if (!informer.hasSynced) throw new Error(`${resource.kind} informer has not yet synced`)
    return informer
  }

  async #requireServed(resource: Resource): Promise<void> {
    const { group, version, plural, kind } = resource
    const id = `${group}/${version}/${plural}`
    if (this.#served.has(id)) return
    if (!(await this.#isServed(resource))) {
      throw new Error(`${kind} projection is not supported: the cluster does not serve ${plural}.${group}/${version}`)
    }
    this.#served.add(id)
  }

  /** Asking for a collection that is not served would fail for ever: discovery says what there is. */
  async #isServed({ group, version, plural }: Resource): Promise<boolean> {
    try {
      const list = await this.#options.client.raw({ method: 'GET', path: `/apis/${group}/${version}` })
      const { resources = [] } = list as { readonly resources?: readonly { readonly name: string }[] }
      return resources.some(({ name }) => name === plural)
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return false
      throw error
    }
  }
}
