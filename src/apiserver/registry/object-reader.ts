import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { IndexedField } from '../cache/field-index.ts'

/** Synchronous reads from the watch caches for steps inside the server: admission, authorization, token checks. */
export interface ObjectReader {
  get<T extends KubernetesObject>(resource: Resource<T>, name: string, namespace?: string): T | undefined
  /**
   * All objects, or those of one namespace. The array is the very same one until something in that scope changes, so
   * that a caller may keep what it derived from it for as long as the identity holds.
   */
  list<T extends KubernetesObject>(resource: Resource<T>, namespace?: string): readonly T[]
  /** The objects with a value of a field, found without looking at the others. */
  having<T extends KubernetesObject>(resource: Resource<T>, field: IndexedField, value: string): readonly T[]
}
