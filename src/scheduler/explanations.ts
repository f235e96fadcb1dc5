import type { NodeExplanation, ReasonCount, SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { Decision, Placement } from './cycle.ts'
import type { Refusal, RejectedNode, Rejection } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import { countReasons } from './rejected-nodes.ts'

const maxPods = 1_000
const maxNodesOfWaiting = 100
const maxNodesOfPlaced = 10

interface Kept {
  readonly uid: string
  readonly decidedMs: number
  readonly node: string | undefined
  readonly message: string | undefined
  readonly veto: Rejection | undefined
  readonly counts: readonly ReasonCount[]
  readonly nodes: readonly NodeExplanation[]
  readonly rejectedNodes: number
  readonly feasibleNodes: number
}

/** The last decisions about at most 1,000 pods. What a placed pod was refused is kept shorter than for one that waits. */
export class Explanations {
  readonly #kept = new LruMap<string, Kept>(maxPods)

  record({ pod: { metadata } }: PodInfo, decision: Decision, decidedMs: number, message?: string): void {
    const { rejections, nodes } = decision.type === 'place' ? ofPlaced(decision) : ofWaiting(decision)
    const isPlaced = decision.type === 'place'
    this.#kept.set(`${metadata.namespace}/${metadata.name}`, {
      uid: metadata.uid,
      decidedMs,
      node: isPlaced ? decision.node.name : undefined,
      message: isPlaced ? undefined : (message ?? decision.message),
      veto: isPlaced ? undefined : decision.veto,
      counts: countReasons(rejections).sort((a, b) => b.nodes - a.nodes),
      nodes,
      rejectedNodes: rejections.length,
      feasibleNodes: isPlaced ? decision.feasible : 0,
    })
  }

  /** The last decision about the pod `namespace/name`, if it is still known. */
  of(key: string): SchedulingExplanation | undefined {
    const kept = this.#kept.get(key)
    if (!kept) return undefined
    const { node, message, veto, ...rest } = kept
    return {
      pod: key,
      ...rest,
      ...(node !== undefined && { node }),
      ...(message !== undefined && { message }),
      ...(veto && { veto }),
    }
  }
}

/** Why a pod is not even tried. */
export function heldExplanation({ metadata }: Pod, veto: Rejection, decidedMs: number): SchedulingExplanation {
  const nothing = { counts: [], nodes: [], rejectedNodes: 0, feasibleNodes: 0 }
  return { pod: keyOf({ metadata }), uid: metadata.uid, decidedMs, message: veto.reason, veto, ...nothing }
}

function ofPlaced({ rejected }: Placement) {
  return { rejections: rejected.rejections, nodes: rejected.list(maxNodesOfPlaced).map(explain) }
}

function ofWaiting({ rejected }: Refusal) {
  return { rejections: rejected.map(({ rejection }) => rejection), nodes: nearestFirst(rejected) }
}

/** Nodes that could take the pod with little more come first: that is what a reader can act on. */
function nearestFirst(rejected: readonly RejectedNode[]): readonly NodeExplanation[] {
  return rejected
    .toSorted((a, b) => shortfall(a.rejection) - shortfall(b.rejection))
    .slice(0, maxNodesOfWaiting)
    .map(explain)
}

function explain({ node, rejection }: RejectedNode): NodeExplanation {
  return { node: node.name, ...rejection }
}

/** The part of what is requested that is not free; what cannot be counted comes last. */
function shortfall({ missing }: Rejection): number {
  if (missing === undefined) return 2
  let sum = 0
  for (const { requested, free } of missing) sum += (requested - Math.max(free, 0)) / Math.max(requested, 1)
  return sum
}
