import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { apiVersionOf, type KubernetesObject, type New, type Resource } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import { mapAsyncIterable } from '#lib/async-iterables.ts'
import type { DeleteOptions, ListMeta, Status } from '#api/types/meta.v1.ts'
import type {
  CallOptions,
  Client,
  ListOptions,
  ObjectList,
  Patch,
  RawRequest,
  ResourceClient,
  Transport,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts'
import { observedTransport } from './observed-transport.ts'
import { resourcePath } from './resource-path.ts'

/** The client over any transport. It holds no state of its own. */
export function createClient(transport: Transport): Client {
  return {
    resource: (resource, namespace) => resourceClient(transport, resource, namespace),
    raw: (request) => transport.request(request),
    as: (user) => createClient(transport.as(user)),
    observed: (observe) => createClient(observedTransport(transport, observe)),
  }
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

const applyType = 'application/apply-patch+yaml'

function resourceClient<T extends KubernetesObject>(
  transport: Transport,
  resource: Resource<T>,
  namespace: string | undefined,
): ResourceClient<T> {
  const collection = resourcePath(resource, { namespace })
  const path = (name: string, subresource?: string, ofNamespace = namespace): string => {
    if (resource.namespaced && (ofNamespace === undefined || ofNamespace === '')) {
      throw new TypeError(`A request for one of the ${resource.plural} needs a namespace`)
    }
    return resourcePath(resource, { namespace: ofNamespace, name: nonEmpty(resource, name), subresource })
  }
  const send = async <Answer>(request: RawRequest): Promise<Answer> => (await transport.request(request)) as Answer
  const replace = async (object: T, subresource: string | undefined, options: WriteOptions = {}): Promise<T> => {
    const target = path(object.metadata.name, subresource, namespace ?? object.metadata.namespace)
    return send({ method: 'PUT', path: target, query: writeQuery(options), body: object, ...signalOf(options) })
  }
  return {
    get: async (name, options = {}) => send({ method: 'GET', path: path(name), ...signalOf(options) }),
    list: async (options = {}) => listOf<T>(await transport.request(listRequest(collection, options))),
    watch: (options) => watchEvents<T>(transport.watch(watchRequest(collection, options))),
    create: async (object, options = {}) => {
      const target = resourcePath(resource, { namespace: namespace ?? object.metadata.namespace })
      const body = withKind(resource, object)
      return send({ method: 'POST', path: target, query: writeQuery(options), body, ...signalOf(options) })
    },
    update: async (object, options) => replace(object, undefined, options),
    updateStatus: async (object, options) => replace(object, 'status', options),
    patch: async (name, patch, options = {}) =>
      send({
        method: 'PATCH',
        path: path(name, options.subresource),
        query: writeQuery(options),
        body: patch.type === 'json' ? patch.operations : patch.patch,
        contentType: patchTypes[patch.type],
        ...signalOf(options),
      }),
    apply: async (object, options) =>
      send({
        method: 'PATCH',
        path: path(object.metadata.name ?? '', undefined, namespace ?? object.metadata.namespace),
        query: { ...writeQuery(options), ...(options.force ? { force: 'true' } : {}) },
        body: withKind(resource, object),
        contentType: applyType,
        ...signalOf(options),
      }),
    delete: async (name, options = {}) => {
      const body = deleteBody(options)
      await transport.request({ method: 'DELETE', path: path(name), ...(body && { body }), ...signalOf(options) })
    },
    deleteCollection: async (options = {}) => {
      const body = options.body && deleteBody(options.body)
      await transport.request({ ...listRequest(collection, options), method: 'DELETE', ...(body && { body }) })
    },
    createSubresource: async (name, subresource, body, options = {}) =>
      send({
        method: 'POST',
        path: path(name, subresource),
        query: writeQuery(options),
        body,
        ...signalOf(options),
      }),
  }
}

/** An empty name would turn a request for one object into one for all of them. */
function nonEmpty(resource: Resource, name: string): string {
  if (name === '') throw new TypeError(`A request for one of the ${resource.plural} needs a name`)
  return name
}

function signalOf(options: CallOptions): { signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal }
}

function withKind<T extends KubernetesObject>(resource: Resource<T>, object: New<T>): object {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }
}

function writeQuery(options: WriteOptions): Record<string, string> {
  return {
    ...(options.fieldManager === undefined ? {} : { fieldManager: options.fieldManager }),
    ...(options.dryRun ? { dryRun: 'All' } : {}),
  }
}

function deleteBody(options: CallOptions & Partial<DeleteOptions>): object | undefined {
  const { signal: _signal, ...body } = options
  return Object.keys(body).length === 0 ? undefined : { kind: 'DeleteOptions', apiVersion: 'v1', ...body }
}

function selection(options: ListOptions | WatchOptions): Record<string, string> {
  const query: Record<string, string> = {}
  if (options.labelSelector !== undefined && options.labelSelector !== '') query.labelSelector = options.labelSelector
  if (options.fieldSelector !== undefined && options.fieldSelector !== '') query.fieldSelector = options.fieldSelector
  if (options.resourceVersion !== undefined) query.resourceVersion = options.resourceVersion
  return query
}

function listRequest(path: string, options: ListOptions): RawRequest {
  const query = selection(options)
  if (options.limit !== undefined) query.limit = String(options.limit)
  if (options.continue !== undefined) query.continue = options.continue
  return { method: 'GET', path, query, ...signalOf(options) }
}

function watchRequest(path: string, options: WatchOptions): RawRequest {
  const query = { ...selection(options), watch: 'true' } as Record<string, string>
  if (options.allowWatchBookmarks) query.allowWatchBookmarks = 'true'
  if (options.timeoutSeconds !== undefined) query.timeoutSeconds = String(options.timeoutSeconds)
  return { method: 'GET', path, query, ...signalOf(options) }
}

function listOf<T>(answer: unknown): ObjectList<T> {
  const { items, metadata } = answer as { items: readonly T[] | null; metadata: ListMeta }
  return {
    items: items ?? [],
    resourceVersion: metadata.resourceVersion ?? '',
    ...(metadata.continue ? { continue: metadata.continue } : {}),
  }
}

function watchEvents<T extends KubernetesObject>(wire: AsyncIterable<WireWatchEvent>): AsyncIterable<WatchEvent<T>> {
  return mapAsyncIterable<WireWatchEvent, WatchEvent<T>>(wire, (event) => {
    if (event.type === 'ERROR') throw StatusError.from(event.object as Status)
    if (event.type !== 'BOOKMARK') return { type: event.type, object: event.object as T }
    return { type: 'BOOKMARK', resourceVersion: (event.object as KubernetesObject).metadata.resourceVersion }
  })
}
