import type { APIService, APIServiceCondition } from '#api/types/apiregistration.v1.ts'
import { apiServices, endpointSlices, services } from '#api/types/resources.ts'
import { setCondition } from '#api/meta/conditions.ts'
import { formatTime, type Timer } from '#lib/clock.ts'
import type { ChangeEvent } from '#storage/store.ts'
import { storagePrefix } from '../registry/served-resource.ts'
import type { ServerParts } from '../server-parts.ts'
import type { Aggregation } from './aggregation.ts'
import { verdictOf, verdictOfProbe, type Backend, type Verdict } from './availability.ts'
import { isRemote } from './remote-services.ts'

const apiServicePrefix = storagePrefix('apiregistration.k8s.io', 'apiservices')
const servicePrefix = storagePrefix('', 'services')
const slicePrefix = storagePrefix('discovery.k8s.io', 'endpointslices')

/** How often the server of an APIService is asked whether it is still there. */
const resyncMs = 30_000

/** Keeps the condition `Available` of APIServices true to what their Services and servers say. */
export class AvailabilityController {
  readonly #server: ServerParts
  readonly #aggregation: Aggregation
  readonly #waiting = new Set<string>()
  #running: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(server: ServerParts, aggregation: Aggregation) {
    this.#server = server
    this.#aggregation = aggregation
  }

  start(): void {
    this.reset()
    this.#timer = this.#server.clock.schedule(resyncMs, () => this.#resync())
  }

  /** All may have changed. */
  reset(): void {
    this.#addAll(() => true)
  }

  /** Every change of the store; few of them matter here. */
  changed({ key }: Pick<ChangeEvent, 'key'>): void {
    if (key.startsWith(apiServicePrefix)) this.#add(key.slice(apiServicePrefix.length))
    else if (key.startsWith(servicePrefix)) this.#addBackedBy(key.slice(servicePrefix.length))
    else if (key.startsWith(slicePrefix)) {
      const [namespace] = key.slice(slicePrefix.length).split('/')
      this.#addAll(({ spec }) => spec.service?.namespace === namespace)
    }
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#waiting.clear()
    await this.#running
  }

  #resync(): void {
    this.#addAll(isRemote)
    this.#timer = this.#server.clock.schedule(resyncMs, () => this.#resync())
  }

  #addBackedBy(place: string): void {
    this.#addAll(({ spec }) => `${spec.service?.namespace ?? ''}/${spec.service?.name ?? ''}` === place)
  }

  #addAll(matches: (service: APIService) => boolean): void {
    for (const service of this.#server.reader.list(apiServices)) {
      if (matches(service)) this.#add(service.metadata.name)
    }
  }

  #add(name: string): void {
    if (this.#server.closing.aborted) return
    this.#waiting.add(name)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // The change that woke us is still being handed out.
    await Promise.resolve()
    for (const name of this.#waiting) {
      this.#waiting.delete(name)
      if (this.#server.closing.aborted) break
      try {
        await this.#sync(name)
      } catch (error) {
        // Somebody else wrote: that change wakes us again.
        this.#server.log.debug('cannot keep an APIService in order', { name, error })
      }
    }
    this.#running = undefined
  }

  async #sync(name: string): Promise<void> {
    const service = this.#server.reader.get(apiServices, name)
    if (service === undefined) return this.#aggregation.forget(name)
    const verdict = verdictOf(service, this.#backendOf(service)) ?? (await this.#probe(service))
    const before = service.status?.conditions
    const condition: APIServiceCondition = { type: 'Available', ...verdict }
    const conditions = setCondition(before, condition, formatTime(this.#server.clock.now()))
    if (conditions === before) return
    await this.#server.updateStatus(apiServices, {
      ...service,
      status: { ...service.status, conditions },
    } as APIService)
  }

  #backendOf({ spec }: APIService): Backend {
    const { name = '', namespace = '' } = spec.service ?? {}
    const { reader } = this.#server
    const slices = namespace === '' ? [] : reader.list(endpointSlices, namespace)
    return {
      service: namespace === '' ? undefined : reader.get(services, name, namespace),
      slices: slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name),
    }
  }

  async #probe(service: APIService): Promise<Verdict> {
    return verdictOfProbe(isRemote(service) ? await this.#aggregation.refresh(service) : undefined)
  }
}
