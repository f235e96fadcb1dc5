import type { Pod } from '#api/types/core.v1.ts'
import type { ShutdownPeriod } from '../configuration/shutdown-periods.ts'

/** Pods that end together, within so many seconds. */
export interface ShutdownGroup<Subject> {
  readonly seconds: number
  readonly subjects: readonly Subject[]
}

/**
 * Who ends with whom when the node goes down, in order. A pod belongs to the highest period that its priority reaches,
 * or to the lowest of all; `periods` are sorted by priority.
 */
export function shutdownGroups<Subject extends { readonly pod: Pod }>(
  subjects: readonly Subject[],
  periods: readonly ShutdownPeriod[],
): readonly ShutdownGroup<Subject>[] {
  const periodOf = ({ pod }: Subject): ShutdownPeriod | undefined =>
    periods.findLast(({ priority }) => priority <= (pod.spec.priority ?? 0)) ?? periods[0]
  const groups = Map.groupBy(subjects, periodOf)
  return periods.flatMap((period) => {
    const own = groups.get(period) ?? []
    return own.length === 0 ? [] : [{ seconds: period.seconds, subjects: own }]
  })
}
