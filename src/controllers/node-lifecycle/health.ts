import { nodeCondition } from '#api/core/v1/node-facts.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import type { Node, NodeCondition } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'

/** What was last heard of a node, and when by this process's monotonic clock: the node's clock may be wrong. */
export interface NodeHealth {
  readonly renewTime: string | undefined
  readonly heartbeat: string | undefined
  readonly heardAtMs: number
}

/** Milliseconds of silence after which a node counts as unreachable. */
export const gracePeriodMs = 50_000
/** The same for a node that has never reported itself. */
export const startupGracePeriodMs = 60_000

/** Conditions that nobody vouches for when the kubelet is silent. */
const vouchedFor = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** Takes note of a new lease renewal or a new heartbeat; otherwise the health stays as it was. */
export function observeHealth(
  old: NodeHealth | undefined,
  node: Node,
  lease: Lease | undefined,
  nowMs: number,
): NodeHealth {
  const renewTime = lease?.spec.renewTime
  const heartbeat = nodeCondition(node, 'Ready')?.lastHeartbeatTime
  if (old !== undefined && old.renewTime === renewTime && old.heartbeat === heartbeat) return old
  return { renewTime, heartbeat, heardAtMs: nowMs }
}

/** Milliseconds of silence the node has left; 0 or less: it is unreachable. */
export function silenceLeftMs(health: NodeHealth, nowMs: number): number {
  const isNew = health.heartbeat === undefined && health.renewTime === undefined
  return health.heardAtMs + (isNew ? startupGracePeriodMs : gracePeriodMs) - nowMs
}

/** The conditions of a silent node: each it vouched for becomes Unknown. The same array when all are already. */
export function silentConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  const conditions = node.status?.conditions ?? []
  const now = formatTime(nowMs)
  const missing = vouchedFor
    .filter((type) => nodeCondition(node, type) === undefined)
    .map((type): NodeCondition => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime: now,
    }))
  const isStale = ({ type, status }: NodeCondition): boolean => {
    return status !== 'Unknown' && (vouchedFor as readonly string[]).includes(type)
  }
  if (missing.length === 0 && !conditions.some(isStale)) return conditions
  const stale = {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  } as const
  return [
    ...conditions.map((condition) =>
      isStale(condition) ? { ...condition, ...stale, lastTransitionTime: now } : condition,
    ),
    ...missing,
  ]
}
