/** A time to live, and between how many nodes it holds. The ranges overlap, so that a cluster at an edge does not swing. */
export interface TtlStep {
  readonly fewest: number
  readonly most: number
  readonly ttlSeconds: number
}

const steps: readonly TtlStep[] = [
  { fewest: 0, most: 100, ttlSeconds: 0 },
  { fewest: 90, most: 500, ttlSeconds: 15 },
  { fewest: 450, most: 1_000, ttlSeconds: 30 },
  { fewest: 900, most: 2_000, ttlSeconds: 60 },
  { fewest: 1_800, most: 10_000, ttlSeconds: 300 },
  { fewest: 9_000, most: Infinity, ttlSeconds: 600 },
]

export const firstStep = steps[0] as TtlStep

/** The present step as long as it holds, else the next one that does. */
export function decideTtl(present: TtlStep, nodes: number): TtlStep {
  let at = steps.indexOf(present)
  while (nodes > (steps[at]?.most ?? Infinity)) at++
  while (nodes < (steps[at]?.fewest ?? 0)) at--
  return steps[at] ?? present
}
