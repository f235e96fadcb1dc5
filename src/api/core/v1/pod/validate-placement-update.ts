import { deepEqual } from '../../../meta/deep-equal.ts'
import { invalidValue } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import { sortedMap } from '../../../meta/validate-labels.ts'
import type { Affinity, NodeSelectorTerm, PodSpec } from '../../../types/core.v1.ts'
import { coreForm } from '../internal-types.ts'

/** Who holds a pod back may still narrow where it goes (KEP-3838). */
export function validatePlacementUpdate(now: PodSpec, before: PodSpec): FieldError[] {
  return [...validateSelectorUpdate(now, before), ...validateAffinityUpdate(now.affinity, before.affinity)]
}

function validateSelectorUpdate({ nodeSelector: now }: PodSpec, { nodeSelector: before }: PodSpec): FieldError[] {
  if (Object.entries(before ?? {}).every(([key, value]) => now?.[key] === value)) return []
  const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  return [invalidValue('spec.nodeSelector', sortedMap(now), detail)]
}

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'

function validateAffinityUpdate(now: Affinity | undefined, before: Affinity | undefined): FieldError[] {
  const path = `spec.affinity.nodeAffinity.${requiredName}.nodeSelectorTerms`
  const oldTerms = before?.nodeAffinity?.[requiredName]?.nodeSelectorTerms ?? []
  const newTerms = now?.nodeAffinity?.[requiredName]?.nodeSelectorTerms
  if (oldTerms.length === 0) return []
  if (newTerms?.length !== oldTerms.length) {
    const shown = newTerms?.map((term) => coreForm.of('NodeSelectorTerm', term)) ?? null
    return [invalidValue(path, shown, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')]
  }
  return newTerms.flatMap((term, index) => {
    if (onlyAdds(term, oldTerms[index] ?? {})) return []
    const shown = coreForm.of('NodeSelectorTerm', term)
    return [invalidValue(`${path}[${index}]`, shown, 'only additions are allowed (no mutations or deletions)')]
  })
}

/** A term without requirements selects nothing, and goes on doing so. */
function onlyAdds(now: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  const wasEmpty = lists.every((list) => (before[list] ?? []).length === 0)
  if (wasEmpty) return lists.every((list) => (now[list] ?? []).length === 0)
  return lists.every((list) => {
    const old = before[list] ?? []
    return deepEqual((now[list] ?? []).slice(0, old.length), old)
  })
}

/** The new spec with the old values of what the rules above are about. */
export function withOldPlacement(now: PodSpec, before: PodSpec): PodSpec {
  const nodeAffinity = before.affinity?.nodeAffinity
  const others = { ...now.affinity, nodeAffinity: undefined }
  const isEmpty = others.podAffinity === undefined && others.podAntiAffinity === undefined
  const affinity = isEmpty && before.affinity === undefined ? undefined : { ...others, nodeAffinity }
  return { ...now, nodeSelector: before.nodeSelector, affinity }
}
