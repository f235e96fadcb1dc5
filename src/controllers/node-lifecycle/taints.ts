import { nodeCondition } from '#api/core/v1/node-facts.ts'
import type { Node, Taint } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'

const notReadyTaint = 'node.kubernetes.io/not-ready'
const unreachableTaint = 'node.kubernetes.io/unreachable'

/** Taints that say what a condition says, by the condition's type and the status that calls for it. */
const conditionTaints = [
  { condition: 'Ready', status: 'False', key: notReadyTaint },
  { condition: 'Ready', status: 'Unknown', key: unreachableTaint },
  { condition: 'MemoryPressure', status: 'True', key: 'node.kubernetes.io/memory-pressure' },
  { condition: 'DiskPressure', status: 'True', key: 'node.kubernetes.io/disk-pressure' },
  { condition: 'PIDPressure', status: 'True', key: 'node.kubernetes.io/pid-pressure' },
  { condition: 'NetworkUnavailable', status: 'True', key: 'node.kubernetes.io/network-unavailable' },
] as const

const unschedulableTaint = 'node.kubernetes.io/unschedulable'
const schedulingKeys = new Set<string>([...conditionTaints.map(({ key }) => key), unschedulableTaint])

/**
 * Whether pods are driven out of failed nodes: a new eviction may begin, or none may but those under way go on, or all
 * stop, because no node at all is well and it is rather the network that is not.
 */
export type Eviction = 'allowed' | 'held' | 'stopped'

/**
 * The taints the node must have: those of its conditions, which keep pods away, and `NoExecute` ones, which drive pods
 * out, as far as the eviction goes. Others stay. The same array when nothing changes.
 */
export function decideTaints(node: Node, eviction: Eviction, nowMs: number): readonly Taint[] {
  const old = node.spec?.taints ?? []
  const wanted = [...schedulingTaints(node), ...executionTaints(node, old, eviction)]
  const isManaged = ({ key, effect }: Taint): boolean => {
    if (effect === 'NoExecute') return key === notReadyTaint || key === unreachableTaint
    return effect === 'NoSchedule' && schedulingKeys.has(key)
  }
  const kept = old.filter((taint) => !isManaged(taint) || wanted.some((other) => isSame(taint, other)))
  const added = wanted.filter((taint) => !old.some((other) => isSame(taint, other)))
  if (added.length === 0 && kept.length === old.length) return old
  const timeAdded = formatTime(nowMs)
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded }))]
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect
}

function schedulingTaints(node: Node): readonly Taint[] {
  const keys: string[] = conditionTaints
    .filter(({ condition, status }) => nodeCondition(node, condition)?.status === status)
    .map(({ key }) => key)
  if (node.spec?.unschedulable) keys.push(unschedulableTaint)
  return keys.map((key) => ({ key, effect: 'NoSchedule' }))
}

/** A taint that is there already may change its reason without asking; only a new one counts as an eviction. */
function executionTaints(node: Node, old: readonly Taint[], eviction: Eviction): readonly Taint[] {
  const key = evictionKey(node)
  if (key === undefined || eviction === 'stopped') return []
  const isEvicting = old.some(
    (taint) => taint.effect === 'NoExecute' && (taint.key === notReadyTaint || taint.key === unreachableTaint),
  )
  return isEvicting || eviction === 'allowed' ? [{ key, effect: 'NoExecute' }] : []
}

/** The taint that the node's readiness calls for; undefined for a ready node, and for one that has not said anything. */
export function evictionKey(node: Node): string | undefined {
  const ready = nodeCondition(node, 'Ready')?.status
  if (ready === 'False') return notReadyTaint
  return ready === 'Unknown' ? unreachableTaint : undefined
}
