import type { PermitQueue, Rejection } from './framework.ts'
import type { Placement } from './cycle.ts'

/** What became of a placement before its binding: rejected, or to be bound, perhaps after some plugins have waited. */
export type Reservation =
  | { readonly type: 'rejected'; readonly rejection: Rejection }
  | { readonly type: 'reserved'; readonly waits: ReadonlyMap<string, number> }

const noWaits: ReadonlyMap<string, number> = new Map()
const reserved: Reservation = { type: 'reserved', waits: noWaits }

/** Lets plugins set things aside for the pod and say whether it may go on. Leaves nothing set aside after a rejection. */
export function reserve(placement: Placement, waiting: PermitQueue): Reservation {
  const { prepared, node } = placement
  const { pod, profile, states } = prepared
  const { points } = profile
  if (points.reserve.length + points.permit.length === 0) return reserved
  for (const { plugin, slot } of points.reserve) {
    if (states[slot] === 'skip') continue
    const rejection = plugin.reserve?.(pod, node, states[slot])
    if (rejection) return giveUp(placement, rejection)
  }
  const waits = new Map<string, number>()
  for (const { plugin } of points.permit) {
    const answer = plugin.permit?.(pod, node, waiting)
    if (answer === undefined) continue
    if ('reason' in answer) return giveUp(placement, answer)
    waits.set(plugin.name, answer.waitMs)
  }
  return { type: 'reserved', waits }
}

/** Gives up everything that was set aside, in the reverse order. */
export function unreserve({ prepared, node }: Placement): void {
  const { pod, profile, states } = prepared
  for (const { plugin, slot } of profile.points.reserve.toReversed()) {
    if (states[slot] !== 'skip') plugin.unreserve?.(pod, node, states[slot])
  }
}

function giveUp(placement: Placement, rejection: Rejection): Reservation {
  unreserve(placement)
  return { type: 'rejected', rejection }
}
