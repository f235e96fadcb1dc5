import { isSameJson } from '#api/meta/merge-patch.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import type { ChangeEvent, Entry } from '#storage/store.ts'
import type { CacheSet } from '../cache/cache-set.ts'
import type { FeedConsumer } from '../cache/store-feed.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import { storagePrefix, type ServedResource } from '../registry/served-resource.ts'
import { servedVersions } from './served-versions.ts'
import type { ConvertByWebhook } from './webhook-conversion.ts'

export const definitionsPrefix: string = storagePrefix('apiextensions.k8s.io', 'customresourcedefinitions')

/** What wants to know of definitions, and of objects whose definition is going away. */
export interface DefinitionObserver {
  definitionChanged(name: string): void
}

/**
 * Keeps the resource table in step with the definitions: it stands between the store's feed and the caches, so that a
 * resource is served from the very change that established it, and gone with the one that removed it.
 */
export class CustomResources implements FeedConsumer {
  readonly #caches: CacheSet
  readonly #table: ResourceTable
  readonly #convert: ConvertByWebhook
  readonly #served = new Map<string, readonly ServedResource[]>()
  /** Definitions that are going away, by the key prefix of their objects. */
  readonly #terminating = new Map<string, string>()
  #observer: DefinitionObserver | undefined

  constructor(caches: CacheSet, table: ResourceTable, convert: ConvertByWebhook) {
    this.#caches = caches
    this.#table = table
    this.#convert = convert
  }

  observe(observer: DefinitionObserver): void {
    this.#observer = observer
    for (const { metadata } of this.definitions()) observer.definitionChanged(metadata.name)
  }

  definitions(): readonly CustomResourceDefinition[] {
    return this.#caches.of(definitionsPrefix).objects(definitionsPrefix) as readonly CustomResourceDefinition[]
  }

  reset(entries: readonly Entry[], revision: number): void {
    this.#caches.reset(entries, revision)
    const names = new Set([...this.#served.keys(), ...this.definitions().map(({ metadata }) => metadata.name)])
    for (const name of names) this.#update(name)
  }

  change(event: ChangeEvent): void {
    this.#caches.change(event)
    const { key } = event
    if (key.startsWith(definitionsPrefix)) return this.#update(key.slice(definitionsPrefix.length))
    if (this.#terminating.size === 0) return
    for (const [prefix, name] of this.#terminating) if (key.startsWith(prefix)) this.#observer?.definitionChanged(name)
  }

  #update(name: string): void {
    const definition = this.#definition(name)
    const before = this.#served.get(name) ?? []
    const now = definition === undefined ? [] : servedVersions(definition, this.#convert)
    const [first] = before
    if (first !== undefined && !isSameServing(first.custom?.definition, definition)) {
      // Streams that are open were made by the old schema; their clients begin again, or find nothing.
      this.#caches.of(first.storage.prefix).closeWatchers()
    }
    for (const resource of before) this.#table.remove(resource)
    for (const resource of now) this.#table.add(resource)
    if (now.length > 0) this.#served.set(name, now)
    else this.#served.delete(name)
    this.#noteTermination(name, definition)
    this.#observer?.definitionChanged(name)
  }

  #definition(name: string): CustomResourceDefinition | undefined {
    return this.#caches.of(definitionsPrefix).get(definitionsPrefix + name)?.object as
      | CustomResourceDefinition
      | undefined
  }

  #noteTermination(name: string, definition: CustomResourceDefinition | undefined): void {
    if (definition?.metadata.deletionTimestamp !== undefined) {
      const { group, names } = definition.spec
      this.#terminating.set(storagePrefix(group, names.plural), name)
    } else for (const [prefix, of] of this.#terminating) if (of === name) this.#terminating.delete(prefix)
  }
}

function isSameServing(
  before: CustomResourceDefinition | undefined,
  now: CustomResourceDefinition | undefined,
): boolean {
  return before?.metadata.uid === now?.metadata.uid && isSameJson(before?.spec, now?.spec)
}
