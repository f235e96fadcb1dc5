import { tolerates } from '#api/core/v1/node-facts.ts'
import type { Taint, Toleration } from '#api/types/core.v1.ts'
import type { DeviceTaint, DeviceToleration, ResourceClaim, ResourceSlice } from '#api/types/resource.v1.ts'

/** Names one device wherever it stands. */
interface DeviceName {
  readonly driver: string
  readonly pool: string
  readonly device: string
}

/** The taints of a device as its driver's slices have them; the newest generation of the pool counts. */
function taintsOf({ driver, pool, device }: DeviceName, slices: readonly ResourceSlice[]): readonly DeviceTaint[] {
  const own = slices.filter(({ spec }) => spec.driver === driver && spec.pool.name === pool)
  const newest = Math.max(...own.map(({ spec }) => spec.pool.generation))
  const current = own.filter(({ spec }) => spec.pool.generation === newest)
  return current.flatMap(({ spec }) => spec.devices?.find(({ name }) => name === device)?.taints ?? [])
}

/**
 * When the devices of a claim drive out the pods that use them, in milliseconds since the epoch; undefined: never. Taints
 * and tolerations are read as those of nodes are (KEP-5055).
 */
export function evictionTimeMs(
  { status }: ResourceClaim,
  slices: readonly ResourceSlice[],
  nowMs: number,
): number | undefined {
  const times = (status?.allocation?.devices?.results ?? []).flatMap((result) =>
    taintsOf(result, slices)
      .filter(({ effect }) => effect === 'NoExecute')
      .map((taint) => toleratedUntilMs(taint, result.tolerations ?? [], nowMs)),
  )
  const earliest = Math.min(...times)
  return earliest === Infinity ? undefined : earliest
}

function toleratedUntilMs(taint: DeviceTaint, tolerations: readonly DeviceToleration[], nowMs: number): number {
  const covering = tolerations.filter((toleration) => tolerates(toleration as Toleration, taint as Taint))
  const sinceMs = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded)
  if (covering.length === 0) return sinceMs
  const seconds = Math.min(...covering.map(({ tolerationSeconds }) => tolerationSeconds ?? Infinity))
  return sinceMs + Math.max(0, seconds) * 1_000
}
