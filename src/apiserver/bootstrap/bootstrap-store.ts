import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { ObjectMeta } from '#api/types/meta.v1.ts'

/** An object as it should be stored; the store adds uid, creation time and resource version. */
export interface BootstrapBody {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Partial<ObjectMeta> & { readonly name: string }
}

/** One object that a cluster must have. */
export interface BootstrapObject {
  readonly resource: Resource
  readonly object: BootstrapBody
  /** What the stored object should become, or undefined when it is right as it is. Absent: an existing object is left alone. */
  readonly merge?: (stored: KubernetesObject) => KubernetesObject | undefined
}

/**
 * Where a cluster's first objects go. `ensure` creates the absent ones and merges the others, past authentication and
 * admission, in as few commits as possible, and resolves when all are durable and readable.
 */
export interface BootstrapStore {
  ensure(objects: readonly BootstrapObject[]): Promise<void>
}
