import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Random } from '#lib/random.ts'
import type { Refusal } from '../cycle.ts'
import type { Rejection, Snapshot } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { unavailableMessage, type RejectedNode } from '../rejected-nodes.ts'
import { chooseCandidate } from './choose-candidate.ts'
import { compileBudgets, findVictims, noVictims, type Candidate } from './victims.ts'

export type PreemptionPlan =
  | { readonly type: 'preempt'; readonly candidate: Candidate }
  /** Another attempt is under way or the pod must not preempt: its nomination stays as it is. */
  | { readonly type: 'ineligible'; readonly message: string }
  | { readonly type: 'hopeless'; readonly message: string }

interface Planning {
  readonly snapshot: Snapshot
  readonly random: Random
  readonly nowMs: number
}

const notHelpful: Rejection = {
  plugin: 'DefaultPreemption',
  reason: 'Preemption is not helpful for scheduling',
}

/** Candidates looked for: a tenth of the nodes, at least 100. */
const candidateShare = 0.1
const minCandidates = 100

/** Decides which pods are to make room for a pod that no node takes. Without effects. */
export function planPreemption(pod: PodInfo, refusal: Refusal, planning: Planning): PreemptionPlan {
  const { snapshot } = planning
  if (pod.pod.spec.preemptionPolicy === 'Never') {
    return { type: 'ineligible', message: 'not eligible due to preemptionPolicy=Never.' }
  }
  if (isRoomBeingMade(pod, refusal, snapshot)) {
    return { type: 'ineligible', message: 'not eligible due to a terminating pod on the nominated node.' }
  }
  const { candidates, rejected } = findCandidates(refusal, planning)
  const candidate = chooseCandidate(candidates, planning.nowMs)
  if (candidate) return { type: 'preempt', candidate }
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

function findCandidates({ prepared, rejected }: Refusal, { snapshot, random, nowMs }: Planning) {
  const isOpen = ({ rejection }: RejectedNode): boolean => prepared !== undefined && rejection.unresolvable !== true
  const open = rejected.filter(isOpen)
  const unhelped = prepared ? rejected.filter((each) => !isOpen(each)).map(({ node }) => node) : snapshot.nodes
  const answers: RejectedNode[] = unhelped.map((node) => ({ node, rejection: notHelpful }))
  const candidates: Candidate[] = []
  const enough = Math.max(Math.floor(snapshot.nodes.length * candidateShare), minCandidates)
  const startAt = Math.floor(random.next() * open.length)
  let harmless = 0
  const rules = { nowMs, budgets: compileBudgets(snapshot.objects.budgets.list()) }
  const isAnyLower = prepared !== undefined && snapshot.lowestPriority < prepared.pod.priority
  for (let index = 0; prepared && index < open.length; index++) {
    if (candidates.length >= enough && harmless > 0) break
    const { node } = open[(startAt + index) % open.length] as RejectedNode
    const found = isAnyLower ? findVictims(node, prepared, snapshot, rules) : noVictims
    if ('reason' in found) answers.push({ node, rejection: found })
    else candidates.push(found)
    if (!('reason' in found) && found.violations === 0) harmless++
  }
  return { candidates, rejected: answers }
}
