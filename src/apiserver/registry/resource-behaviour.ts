import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Change } from '#storage/store.ts'
import type { ResourceContext } from '../request-context.ts'

/** What storing one resource takes beyond its kind's rules: it may look at the server's other objects. */
export interface ResourceBehaviour {
  /** After mutating admission, before validation. Throws to refuse; answers what to do when the write is over. */
  readonly beforeCreate?: (context: ResourceContext, draft: Draft<KubernetesObject>) => Finish
  readonly beforeUpdate?: (context: ResourceContext, draft: Draft<KubernetesObject>, old: KubernetesObject) => Finish
  /**
   * What else is written, or removed, in the very commit that stores `object` in place of `old`; absent ones come into
   * being or are no more. When such a change conflicts, the write is made again from the start.
   */
  readonly claims?: (
    context: ResourceContext,
    object: KubernetesObject | undefined,
    old: KubernetesObject | undefined,
  ) => readonly Change[]
  /** Before admission of a deletion. Throws to refuse. */
  readonly beforeDelete?: (object: KubernetesObject) => void
  /** When the object is first marked as being deleted. */
  readonly onDeletion?: (draft: Draft<KubernetesObject>) => void
  /** Whether something beyond finalizers in the metadata keeps an object that is being deleted. */
  readonly isHeld?: (object: KubernetesObject) => boolean
}

/** Called once the write has failed, or succeeded and is visible to reads. */
export type Finish = (() => void) | void
