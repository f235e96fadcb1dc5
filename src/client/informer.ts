import type { KubernetesObject, Resource } from '#api/meta/resource.ts'

/**
 * Local, always current copies of resources: one list and one watch per resource and process, shared by every
 * controller that asks. Reads answer from memory and hand out frozen objects.
 */
export interface Informers {
  /** The informer of a resource, started at the first call. Later calls with the same resource and selector share it. */
  of<T extends KubernetesObject>(resource: Resource<T>, options?: InformerOptions): Informer<T>
  /**
   * Stops following a resource that is no longer served: its objects are told as deleted, and nobody asks the server
   * again until `of` does, which makes the very same informers go on.
   */
  release(resource: Resource): void
  /** Resolves when every informer asked for so far has its first full list. */
  synced(signal?: AbortSignal): Promise<void>
  /** Ends all watches. */
  stop(): Promise<void>
}

export interface InformerOptions {
  readonly namespace?: string
  /** Narrow the watch on the server, for example a kubelet's `spec.nodeName=n1`. */
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface Informer<T extends KubernetesObject> extends Lister<T> {
  readonly hasSynced: boolean
  /**
   * The revision up to which this copy is complete; empty before the first list. Revisions of one server compare as
   * numbers, so a writer can tell whether its own write has arrived here.
   */
  readonly resourceVersion: string
  /**
   * Registers a listener; objects already known arrive as `added` first. `updated` also carries the object before.
   * After a lost watch the informer lists again and reports only the differences. Listeners run in event order and
   * must not throw or block. The returned function removes the listener.
   */
  listen(listener: InformerListener<T>): () => void
  /** Objects under an index value; define the index before the informer starts or at any time later. */
  index(name: string, keysOf: (object: T) => readonly string[]): (key: string) => readonly T[]
}

export interface InformerListener<T> {
  added?(object: T): void
  updated?(object: T, previous: T): void
  deleted?(object: T): void
}

export interface Lister<T extends KubernetesObject> {
  /** By name, with the namespace of a namespaced resource. */
  get(name: string, namespace?: string): T | undefined
  /** All, or all of one namespace. The order is not defined. */
  list(namespace?: string): readonly T[]
}
