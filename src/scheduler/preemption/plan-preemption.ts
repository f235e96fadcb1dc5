import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Random } from '#lib/random.ts'
import type { Candidate, RejectedNode, Refusal, Rejection, Snapshot } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { unavailableMessage } from '../rejected-nodes.ts'
import { compileBudgets, findVictims, noVictims } from './victims.ts'

export type PreemptionPlan =
  | { readonly type: 'preempt'; readonly candidates: readonly Candidate[] }
  /** Another attempt is under way or the pod must not preempt: its nomination stays as it is. */
  | { readonly type: 'ineligible'; readonly message: string }
  | { readonly type: 'hopeless'; readonly message: string }

export interface PreemptionOptions {
  /** How many candidates to find before choosing: a share of the nodes, and at least so many; default 10 and 100. */
  readonly minCandidateNodesPercentage?: number
  readonly minCandidateNodesAbsolute?: number
}

interface Planning {
  readonly snapshot: Snapshot
  readonly random: Random
  readonly nowMs: number
  readonly options: PreemptionOptions
}

const notHelpful: Rejection = {
  plugin: 'DefaultPreemption',
  reason: 'Preemption is not helpful for scheduling',
}

/** Finds where pods of lower priority could make room for a pod that no node takes. Without effects. */
export function planPreemption(pod: PodInfo, refusal: Refusal, planning: Planning): PreemptionPlan {
  const { snapshot } = planning
  if (pod.pod.spec.preemptionPolicy === 'Never') {
    return { type: 'ineligible', message: 'not eligible due to preemptionPolicy=Never.' }
  }
  if (isRoomBeingMade(pod, refusal, snapshot)) {
    return { type: 'ineligible', message: 'not eligible due to a terminating pod on the nominated node.' }
  }
  const { candidates, rejected } = findCandidates(pod, refusal, planning)
  if (candidates.length > 0) return { type: 'preempt', candidates }
  return { type: 'hopeless', message: unavailableMessage(snapshot.nodes.length, rejected) }
}

function isRoomBeingMade({ pod, priority }: PodInfo, { rejected }: Refusal, snapshot: Snapshot): boolean {
  const node = snapshot.node(pod.status?.nominatedNodeName ?? '')
  if (!node) return false
  if (rejected.some((each) => each.node === node && each.rejection.unresolvable)) return false
  return [...node.pods.values()].some(
    (other) =>
      other.priority < priority &&
      other.pod.metadata.deletionTimestamp !== undefined &&
      podCondition(other.pod, 'DisruptionTarget')?.reason === 'PreemptionByScheduler',
  )
}

function findCandidates(pod: PodInfo, refusal: Refusal, { snapshot, random, nowMs, options }: Planning) {
  const { objectionTo, rejected } = refusal
  const isOpen = ({ rejection }: RejectedNode): boolean => objectionTo !== undefined && rejection.unresolvable !== true
  const open = rejected.filter(isOpen)
  const unhelped = objectionTo ? rejected.filter((each) => !isOpen(each)).map(({ node }) => node) : snapshot.nodes
  const answers: RejectedNode[] = unhelped.map((node) => ({ node, rejection: notHelpful }))
  const candidates: Candidate[] = []
  const enough = candidatesToFind(snapshot.nodes.length, options)
  const startAt = Math.floor(random.next() * open.length)
  let harmless = 0
  const rules = objectionTo && { nowMs, budgets: compileBudgets(snapshot.objects.budgets.list()), objectionTo }
  const isAnyLower = snapshot.lowestPriority < pod.priority
  for (let index = 0; rules && index < open.length; index++) {
    if (candidates.length >= enough && harmless > 0) break
    const { node } = open[(startAt + index) % open.length] as RejectedNode
    const found = isAnyLower ? findVictims(node, pod, snapshot, rules) : noVictims
    if ('reason' in found) answers.push({ node, rejection: found })
    else candidates.push(found)
    if (!('reason' in found) && found.violations === 0) harmless++
  }
  return { candidates, rejected: answers }
}

function candidatesToFind(nodes: number, options: PreemptionOptions): number {
  const { minCandidateNodesPercentage = 10, minCandidateNodesAbsolute = 100 } = options
  return Math.max(Math.floor((nodes * minCandidateNodesPercentage) / 100), minCandidateNodesAbsolute)
}
