import type { KubernetesObject, Resource } from '#api/meta/resource.ts'

/** Synchronous reads from the watch caches for steps inside the server: admission, authorization, token checks. */
export interface ObjectReader {
  get<T extends KubernetesObject>(resource: Resource<T>, name: string, namespace?: string): T | undefined
  list<T extends KubernetesObject>(resource: Resource<T>, namespace?: string): readonly T[]
}
