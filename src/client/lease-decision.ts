import type { LeaseSpec } from '#api/types/coordination.v1.ts'
import { formatMicroTime } from '#lib/clock.ts'

export interface LeaseQuestion {
  /** The lease as stored; undefined: there is none. */
  readonly current: LeaseSpec | undefined
  readonly identity: string
  readonly leaseDurationMs: number
  /** Since when, on this machine's monotonic clock, the stored record has not changed. */
  readonly unchangedForMs: number
  readonly nowMs: number
}

/**
 * The spec to write in order to hold or take the lease, or undefined while somebody else holds it. Only how long the
 * record has stood unchanged here counts: the holder's clock may be wrong.
 */
export function decideLease(question: LeaseQuestion): LeaseSpec | undefined {
  const { current, identity, leaseDurationMs, unchangedForMs, nowMs } = question
  const now = formatMicroTime(nowMs)
  const fresh = { holderIdentity: identity, leaseDurationSeconds: leaseDurationMs / 1_000, renewTime: now }
  if (current === undefined) return { ...fresh, acquireTime: now, leaseTransitions: 0 }
  const { acquireTime, leaseTransitions = 0 } = current
  if (current.holderIdentity === identity) return { ...current, ...fresh, acquireTime, leaseTransitions }
  const isHeld = current.holderIdentity !== undefined && current.holderIdentity !== ''
  if (isHeld && unchangedForMs < (current.leaseDurationSeconds ?? 0) * 1_000) return undefined
  return { ...current, ...fresh, acquireTime: now, leaseTransitions: leaseTransitions + 1 }
}

/** The spec that gives the lease up at once. */
export function releasedLease(current: LeaseSpec, nowMs: number): LeaseSpec {
  const now = formatMicroTime(nowMs)
  return { ...current, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
}
