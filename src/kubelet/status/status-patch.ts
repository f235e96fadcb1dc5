import type { PodStatus } from '#api/types/core.v1.ts'

/** Lists of addresses merge by `ip` in a strategic merge patch, so a changed one must be replaced by name. */
const addressLists = new Set(['podIPs', 'hostIPs'])

/**
 * The strategic merge patch that turns one status into another, or `undefined` when they are equal. It carries only
 * what differs: conditions of other components never travel, so they cannot be overwritten with old values. `uid`
 * makes the server refuse it for a successor of the same name.
 */
export function statusPatch(uid: string, before: PodStatus, after: PodStatus): object | undefined {
  const changes: Record<string, unknown> = {}
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof PodStatus>
  for (const name of names) {
    if (name === 'conditions' || isSame(before[name], after[name])) continue
    const value = after[name]
    const mustReplace = addressLists.has(name) && (before[name] as readonly unknown[] | undefined)?.length
    if (value === undefined) changes[name] = mustReplace ? [{ $patch: 'replace' }] : null
    else changes[name] = mustReplace ? [...(value as readonly unknown[]), { $patch: 'replace' }] : value
  }
  const conditions = changedConditions(before, after)
  if (conditions.length > 0) changes['conditions'] = conditions
  return Object.keys(changes).length === 0 ? undefined : { metadata: { uid }, status: changes }
}

/** The kubelet's conditions that go away again. */
export const resizeConditions: ReadonlySet<string> = new Set(['PodResizePending', 'PodResizeInProgress'])

function changedConditions(before: PodStatus, after: PodStatus): readonly unknown[] {
  const over = (before.conditions ?? [])
    .filter(({ type }) => resizeConditions.has(type) && !after.conditions?.some((each) => each.type === type))
    .map(({ type }) => ({ type, $patch: 'delete' }))
  const changed = (after.conditions ?? []).flatMap((condition) => {
    const known = before.conditions?.find(({ type }) => type === condition.type)
    if (known === undefined) return [condition]
    if (isSame(known, condition)) return []
    // Fields that are no longer set must be named to go away.
    const gone = Object.keys(known).filter((key) => !(key in condition))
    return [{ ...condition, ...Object.fromEntries(gone.map((key) => [key, null])) }]
  })
  return [...changed, ...over]
}

/** Whether two JSON values are equal; the order of keys does not matter, and absent is the same as `null`. */
export function isSame(a: unknown, b: unknown): boolean {
  if ((a ?? undefined) === (b ?? undefined)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const key of keys) {
    if (!isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false
  }
  return true
}
