import type { Draft } from '../../../kind.ts'
import type { Pod } from '../../../types/core.v1.ts'

/** A report about a pod changes its status and, of the metadata, all but the owners. */
export function prepareStatusUpdate(draft: Draft<Pod>, old: Pod): void {
  draft.spec = old.spec as Draft<Pod>['spec'] // frozen, and nothing writes into it any more
  if (old.metadata.ownerReferences === undefined) delete draft.metadata.ownerReferences
  else draft.metadata.ownerReferences = old.metadata.ownerReferences as never
  const status = (draft.status ??= {})
  if ((status.qosClass ?? '') === '' && old.status?.qosClass !== undefined) status.qosClass = old.status.qosClass
  keepObservedGeneration(status, old.status)
}

type Status = NonNullable<Draft<Pod>['status']>

/** Who reports without telling which generation it saw saw the one that was reported before. */
function keepObservedGeneration(status: Status, before: Pod['status']): void {
  if (before?.observedGeneration !== undefined) status.observedGeneration ||= before.observedGeneration
  for (const condition of status.conditions ?? []) {
    const known = before?.conditions?.find(({ type }) => type === condition.type)?.observedGeneration
    if (known !== undefined) condition.observedGeneration ||= known
  }
}
