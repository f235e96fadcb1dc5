/** What conditions of all kinds share. */
export interface ConditionLike {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | undefined
}

function findCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function isConditionTrue(conditions: readonly ConditionLike[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}

/**
 * The conditions with `condition` added or put in the place of the one of its type. `lastTransitionTime` moves to `now`
 * only where the status changes. Answers the same array when nothing changes, so that callers can skip the write.
 */
export function setCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: C,
  now: string,
): readonly C[] {
  const old = findCondition(conditions, condition.type)
  if (old === undefined)
    return [...(conditions ?? []), { ...condition, lastTransitionTime: condition.lastTransitionTime ?? now }]
  const since = old.status === condition.status ? old.lastTransitionTime : (condition.lastTransitionTime ?? now)
  const next = { ...condition, lastTransitionTime: since }
  if (isSame(old, next)) return conditions as readonly C[]
  return (conditions as readonly C[]).map((each) => (each === old ? next : each))
}

/** The conditions without the one of this type; the same array if there is none. */
export function removeCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  const kept = (conditions ?? []).filter((condition) => condition.type !== type)
  return kept.length === conditions?.length ? conditions : kept
}

function isSame(a: ConditionLike, b: ConditionLike): boolean {
  const left = Object.entries(a).filter(([, value]) => value !== undefined)
  const right = b as unknown as Readonly<Record<string, unknown>>
  const rightSize = Object.values(b).filter((value) => value !== undefined).length
  return left.length === rightSize && left.every(([key, value]) => right[key] === value)
}
