import type { KubernetesObject } from '#api/meta/resource.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

/** How one owner of an object stands. */
export interface OwnerState {
  readonly reference: OwnerReference
  /**
   * - `present`: keeps the object alive;
   * - `waiting`: is being deleted in the foreground, after its dependents;
   * - `absent`: gone for certain;
   * - `unknown`: of a kind that nobody serves now, so it may exist: nothing may be deleted for its sake.
   */
  readonly state: 'present' | 'waiting' | 'absent' | 'unknown'
}

export type DeletionPolicy = 'Foreground' | 'Background' | 'Orphan'

export type Fate =
  | { readonly type: 'keep' }
  /** Lose the references to owners that are gone or going; another owner keeps it alive. */
  | { readonly type: 'disown'; readonly uids: readonly string[] }
  | { readonly type: 'delete'; readonly policy: DeletionPolicy }

/** What becomes of an object with owners, which is not being deleted itself. `hasDependents` asks for objects it owns. */
export function decideFate(
  object: KubernetesObject,
  owners: readonly OwnerState[],
  hasDependents: () => boolean,
): Fate {
  const isIn = (state: OwnerState['state']) => (owner: OwnerState) => owner.state === state
  const leaving = owners.filter((owner) => owner.state === 'absent' || owner.state === 'waiting')
  if (leaving.length === 0) return { type: 'keep' }
  if (leaving.length < owners.length) {
    // An owner that may exist protects the object, but is no reason to change it either.
    if (!owners.some(isIn('present'))) return { type: 'keep' }
    return { type: 'disown', uids: leaving.map(({ reference }) => reference.uid) }
  }
  if (owners.some(isIn('waiting')) && hasDependents()) return { type: 'delete', policy: 'Foreground' }
  return { type: 'delete', policy: policyOf(object) }
}

/** The object's own finalizers tell how it wants its dependents treated. */
function policyOf({ metadata }: KubernetesObject): DeletionPolicy {
  if (metadata.finalizers?.includes(orphanFinalizer)) return 'Orphan'
  return metadata.finalizers?.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
}

/** What an object that is being deleted waits for, as far as the garbage collector is concerned. */
export function deletionStage(object: KubernetesObject): 'none' | 'orphaning' | 'foreground' {
  const { deletionTimestamp, finalizers } = object.metadata
  if (deletionTimestamp === undefined) return 'none'
  if (finalizers?.includes(orphanFinalizer)) return 'orphaning'
  return finalizers?.includes(foregroundFinalizer) ? 'foreground' : 'none'
}

/** Whether the owner's end must wait for the dependent's. */
export function blocks(dependent: KubernetesObject, ownerUid: string): boolean {
  return (dependent.metadata.ownerReferences ?? []).some(
    (reference) => reference.uid === ownerUid && reference.blockOwnerDeletion === true,
  )
}
