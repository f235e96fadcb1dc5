import { setCondition } from '#api/meta/conditions.ts'
import type { Draft } from '#api/kind.ts'
import type { ApiHandler } from '#api/meta/exchange.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { trackUpdate } from '#api/meta/server-side-apply/apply.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from '#api/types/apiextensions.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { ConflictError } from '#storage/store.ts'
import { ignoredFields } from '#api/meta/server-side-apply/baseline.ts'
import { setManagers } from '../registry/field-managers.ts'
import { deepCopy } from '../registry/deep-copy.ts'
import { storagePrefix } from '../registry/served-resource.ts'
import type { ServerParts } from '../server-parts.ts'
import { definitionsPrefix, type CustomResources, type DefinitionObserver } from './custom-resources.ts'
import { statusOfNames } from './definition-names.ts'
import { isEstablished } from './served-versions.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** How long after a failure a definition is looked at again. */
const retryMs = 1_000

/**
 * Accepts the names of definitions and establishes them; when one is deleted, deletes its objects and lets it go once the
 * last of them is gone. Driven by the changes of the store, one definition at a time.
 */
export class DefinitionController implements DefinitionObserver {
  readonly #server: ServerParts
  readonly #resources: CustomResources
  readonly #handle: ApiHandler
  readonly #waiting = new Set<string>()
  #running: Promise<void> | undefined

  constructor(server: ServerParts, resources: CustomResources, handle: ApiHandler) {
    this.#server = server
    this.#resources = resources
    this.#handle = handle
  }

  definitionChanged(name: string): void {
    this.#waiting.add(name)
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#waiting.clear()
    await this.#running
  }

  async #run(): Promise<void> {
    // The change that woke us is still being handed out.
    await Promise.resolve()
    for (let name = this.#next(); name !== undefined; name = this.#next()) {
      try {
        await this.#sync(name)
      } catch (error) {
        this.#failed(name, error)
      }
    }
    this.#running = undefined
  }

  #next(): string | undefined {
    if (this.#server.closing.aborted) return undefined
    const [name] = this.#waiting
    if (name !== undefined) this.#waiting.delete(name)
    return name
  }

  #failed(name: string, error: unknown): void {
    if (this.#server.closing.aborted) return
    // Somebody else wrote: that change wakes us again.
    if (error instanceof ConflictError) return
    this.#server.log.error('cannot keep a custom resource definition in order', { name, error })
    this.#server.clock.schedule(retryMs, () => this.definitionChanged(name))
  }

  async #sync(name: string): Promise<void> {
    const all = this.#resources.definitions()
    const definition = all.find(({ metadata }) => metadata.name === name)
    if (definition === undefined) return this.#retryNeighbours(name, all)
    if (definition.metadata.deletionTimestamp !== undefined) return this.#cleanUp(definition)
    const now = formatTime(this.#server.clock.now())
    const status = statusOfNames(
      definition,
      all.filter((other) => other !== definition),
      now,
    )
    if (!isSameJson(status, definition.status)) await this.#write(definition, { status })
  }

  /** A definition that went may have held the names that another of its group waits for. */
  #retryNeighbours(name: string, all: readonly CustomResourceDefinition[]): void {
    const group = name.slice(name.indexOf('.') + 1)
    for (const other of all) {
      if (other.spec.group !== group) continue
      if (!isEstablished(other)) this.#waiting.add(other.metadata.name)
    }
  }

  async #cleanUp(definition: CustomResourceDefinition): Promise<void> {
    const { metadata, spec, status } = definition
    if (metadata.finalizers?.includes(cleanupFinalizer) !== true) return
    const prefix = storagePrefix(spec.group, spec.names.plural)
    const objects = this.#server.caches.of(prefix).objects(prefix)
    const now = formatTime(this.#server.clock.now())
    const withCondition = (value: string, reason: string, message: string): CustomResourceDefinitionStatus => ({
      ...status,
      conditions: setCondition(status?.conditions ?? [], { type: 'Terminating', status: value, reason, message }, now),
    })
    if (objects.length === 0) {
      const finalizers = metadata.finalizers.filter((each) => each !== cleanupFinalizer)
      return this.#write(definition, {
        status: withCondition('False', 'InstanceDeletionCompleted', 'removed all instances'),
        finalizers,
      })
    }
    const progress = withCondition('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
    if (!isSameJson(progress, status)) return this.#write(definition, { status: progress })
    await this.#deleteAll(definition, objects)
  }

  async #deleteAll({ spec }: CustomResourceDefinition, objects: readonly KubernetesObject[]): Promise<void> {
    // What is stored needs no conversion to go.
    const version =
      spec.versions.find(({ storage, served }) => storage && served) ?? spec.versions.find(({ served }) => served)
    const failures: string[] = []
    for (const { metadata } of objects) {
      if (metadata.deletionTimestamp !== undefined) continue
      const scope = metadata.namespace === undefined ? '' : `namespaces/${metadata.namespace}/`
      const path = `/apis/${spec.group}/${version?.name ?? ''}/${scope}${spec.names.plural}/${metadata.name}`
      const request = { method: 'DELETE', path, query: new URLSearchParams(), headers: {}, user: self }
      const { status } = await this.#handle({ ...request, signal: this.#server.closing })
      if (status >= 400 && status !== 404) failures.push(metadata.name)
    }
    if (failures.length > 0) throw new Error(`could not delete ${failures.join(', ')}`)
  }

  async #write(
    definition: CustomResourceDefinition,
    change: { readonly status: CustomResourceDefinitionStatus; readonly finalizers?: readonly string[] },
  ): Promise<void> {
    const { server } = { server: this.#server }
    const key = definitionsPrefix + definition.metadata.name
    const draft = deepCopy(definition)
    draft.status = deepCopy(change.status)
    if (change.finalizers !== undefined) draft.metadata.finalizers = [...change.finalizers]
    const ifRevision = Number(definition.metadata.resourceVersion)
    if (change.finalizers?.length === 0) {
      await server.store.commit([{ key, delete: true, ifRevision }])
    } else {
      this.#track(definition, draft)
      await server.store.commit([{ key, value: server.codec.encode(draft as Draft<KubernetesObject>), ifRevision }])
    }
    await server.feed.current(server.closing)
  }

  #track(live: CustomResourceDefinition, draft: Draft<CustomResourceDefinition>): void {
    const resource = this.#server.resources.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
    if (resource === undefined) return
    const object = draft as unknown as CustomResourceDefinition
    const entries = trackUpdate({
      manager: 'kube-apiserver',
      apiVersion: object.apiVersion,
      subresource: 'status',
      now: formatTime(this.#server.clock.now()),
      ignored: ignoredFields(resource.node, 'status', true),
      node: resource.node,
      live,
      object,
    })
    setManagers(draft as Draft<KubernetesObject>, entries)
  }
}

const self = { name: 'system:apiserver', groups: ['system:masters'] }
