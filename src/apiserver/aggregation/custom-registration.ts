import { apiServices } from '#api/types/resources.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { formatTime } from '#lib/clock.ts'
import type { BootstrapObject, BootstrapStore } from '../bootstrap/bootstrap-store.ts'
import { storagePrefix } from '../registry/served-resource.ts'
import type { ServerParts } from '../server-parts.ts'
import { customService, isOfDefinitions } from './local-services.ts'

/** Keeps an APIService for each version of a group that definitions declare, and takes it away with the last of them. */
export class CustomRegistration {
  readonly #server: ServerParts
  readonly #objects: BootstrapStore
  #isWanted = false
  #running: Promise<void> | undefined

  constructor(server: ServerParts, objects: BootstrapStore) {
    this.#server = server
    this.#objects = objects
  }

  /** Definitions or APIServices changed. */
  changed(): void {
    if (this.#server.closing.aborted) return
    this.#isWanted = true
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#isWanted = false
    await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    while (this.#isWanted) {
      this.#isWanted = false
      try {
        await this.#sync()
      } catch (error) {
        // Another server was faster, or the store is away: the next change brings us back.
        this.#server.log.debug('cannot register the versions of definitions', { error })
      }
    }
    this.#running = undefined
  }

  async #sync(): Promise<void> {
    const { resources, reader, clock } = this.#server
    const wanted = new Map<string, BootstrapObject>()
    const now = formatTime(clock.now())
    for (const { group, version } of resources.custom()) {
      const object = customService(group, version, now) as BootstrapObject['object']
      wanted.set(`${version}.${group}`, { resource: apiServices, object })
    }
    const present = reader.list(apiServices)
    const names = new Set(present.map(({ metadata }) => metadata.name))
    const missing = [...wanted].filter(([name]) => !names.has(name)).map(([, object]) => object)
    if (missing.length > 0) await this.#objects.ensure(missing)
    const extra = present.filter((service) => isOfDefinitions(service) && !wanted.has(service.metadata.name))
    if (extra.length > 0) await this.#remove(extra)
  }

  async #remove(services: readonly KubernetesObject[]): Promise<void> {
    const prefix = storagePrefix('apiregistration.k8s.io', 'apiservices')
    const changes = services.map(({ metadata }) => ({
      key: prefix + metadata.name,
      delete: true as const,
      ifRevision: Number(metadata.resourceVersion),
    }))
    await this.#server.store.commit(changes)
  }
}
