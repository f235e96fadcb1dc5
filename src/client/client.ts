import type { UserInfo, WireWatchEvent } from '#api/meta/exchange.ts'
import type { KubernetesObject, New, Resource } from '#api/meta/resource.ts'
import type { DeleteOptions } from '#api/types/meta.v1.ts'

/**
 * The one client interface, over HTTPS or in-process. Failures are `StatusError`s. Objects handed out are frozen and
 * shared: never change one, spread it into a new one.
 */
export interface Client {
  /** Access to one resource; `namespace` for a namespaced one, or none to list and watch all namespaces. */
  resource<T extends KubernetesObject>(resource: Resource<T>, namespace?: string): ResourceClient<T>
  /** A request outside the resource verbs: `/version`, a custom path. Rejects with `StatusError` for a failure. */
  raw(request: RawRequest): Promise<unknown>
  /** The same client acting as somebody else (in-process) or refused with a TypeError where the transport cannot. */
  as(user: UserInfo): Client
  /** The same client, whose requests the observer hears of. */
  observed(observe: RequestObserver): Client
}

/** Called with the HTTP method when a request begins; what it returns, with the answer's code, or none without one. */
export type RequestObserver = (method: string) => (code: number | undefined) => void

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

export interface ResourceClient<T extends KubernetesObject> {
  get(name: string, options?: CallOptions): Promise<T>
  list(options?: ListOptions): Promise<ObjectList<T>>
  /** Ends when the server ends the watch or the signal aborts; an `ERROR` event is thrown as its StatusError. */
  watch(options: WatchOptions): AsyncIterable<WatchEvent<T>>
  create(object: New<T>, options?: WriteOptions): Promise<T>
  /** Replaces the object; its `resourceVersion` guards against lost updates. */
  update(object: T, options?: WriteOptions): Promise<T>
  /** Replaces only the status. */
  updateStatus(object: T, options?: WriteOptions): Promise<T>
  patch(name: string, patch: Patch, options?: WriteOptions & { readonly subresource?: string }): Promise<T>
  /** Server-side apply. */
  apply(object: New<T>, options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean }): Promise<T>
  delete(name: string, options?: CallOptions & Partial<DeleteOptions>): Promise<void>
  deleteCollection(options?: ListOptions & { readonly body?: Partial<DeleteOptions> }): Promise<void>
  /** POST to a subresource such as `binding`, `eviction`, `token`; answers what the server answers. */
  createSubresource<Answer = unknown>(
    name: string,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<Answer>
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string
  readonly dryRun?: boolean
}

export interface ListOptions extends CallOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  /** `'0'`: anything the cache holds. Absent: the newest. */
  readonly resourceVersion?: string
}

export interface WatchOptions extends CallOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion: string
  readonly allowWatchBookmarks?: boolean
  readonly timeoutSeconds?: number
}

export interface ObjectList<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
  /** Token of the next page, absent on the last. */
  readonly continue?: string
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly object[] }
  | { readonly type: 'merge'; readonly patch: object }
  | { readonly type: 'strategic'; readonly patch: object }

/** How requests travel. Two exist: `https-transport.ts` and `in-process-transport.ts`. */
export interface Transport {
  request(request: RawRequest): Promise<unknown>
  watch(request: RawRequest): AsyncIterable<WireWatchEvent>
  as(user: UserInfo): Transport
}
