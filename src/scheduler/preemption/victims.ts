import { matcherOf, type LabelMatcher } from '#api/meta/labels.ts'
import type { PodDisruptionBudget } from '#api/types/policy.v1.ts'
import type { Candidate, Rejection, Snapshot } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

export interface VictimRules {
  /** The first objection to the node as it is supposed to be. */
  readonly objectionTo: (node: NodeInfo) => Rejection | undefined
  readonly nowMs: number
  readonly budgets: readonly CompiledBudget[]
}

export interface CompiledBudget {
  readonly budget: PodDisruptionBudget
  readonly matcher: LabelMatcher
}

export const noVictims: Rejection = {
  plugin: 'DefaultPreemption',
  reason: 'No preemption victims found for incoming pod',
}

/**
 * The fewest and least important pods whose end makes room for the pod: all of lower priority are taken away, then as
 * many as possible put back, those that a budget protects before the others, the more important before the less.
 * Answers why not where even an end of all would not do.
 */
export function findVictims(
  node: NodeInfo,
  pod: PodInfo,
  snapshot: Snapshot,
  { nowMs, budgets, objectionTo }: VictimRules,
): Candidate | Rejection {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority)
  if (lower.length === 0) return noVictims
  const ranked = lower.sort((a, b) => byImportance(a, b, nowMs))
  const { protectedPods, others } = byBudgets(ranked, budgets)
  return snapshot.supposing(node, (trial) => {
    for (const info of ranked) trial.remove(info)
    const stillRejected = objectionTo(node)
    if (stillRejected) return stillRejected
    const isNeededGone = (info: PodInfo): boolean => {
      trial.add(info)
      if (objectionTo(node) === undefined) return false
      trial.remove(info)
      return true
    }
    const violating = protectedPods.filter(isNeededGone)
    const victims = [...violating, ...others.filter(isNeededGone)].sort((a, b) => byImportance(a, b, nowMs))
    return { node, victims, violations: violating.length }
  })
}

/** Higher priority first, then who runs longer. */
function byImportance(a: PodInfo, b: PodInfo, nowMs: number): number {
  return b.priority - a.priority || startedMs(a, nowMs) - startedMs(b, nowMs)
}

export function startedMs({ pod }: PodInfo, nowMs: number): number {
  const { startTime } = pod.status ?? {}
  return startTime === undefined ? nowMs : Date.parse(startTime)
}

/** Compiles the selectors of disruption budgets. An empty one protects from evictions, but no pod from preemption. */
export function compileBudgets(budgets: readonly PodDisruptionBudget[]): readonly CompiledBudget[] {
  return budgets
    .map((budget) => ({ budget, matcher: matcherOf(budget.spec.selector) }))
    .filter(({ matcher }) => matcher.requirements.length > 0)
}

function byBudgets(ranked: readonly PodInfo[], budgets: readonly CompiledBudget[]) {
  const left = budgets.map((each) => ({ ...each, allowed: each.budget.status?.disruptionsAllowed ?? 0 }))
  const protectedPods: PodInfo[] = []
  const others: PodInfo[] = []
  for (const info of ranked) {
    const { name, labels } = info.pod.metadata
    let isProtected = false
    for (const entry of left) {
      const { metadata, status } = entry.budget
      if (metadata.namespace !== info.namespace || !labels || !entry.matcher.matches(labels)) continue
      // Counted already when its disruption was admitted.
      if (status?.disruptedPods?.[name] !== undefined) continue
      if (--entry.allowed < 0) isProtected = true
    }
    if (isProtected) protectedPods.push(info)
    else others.push(info)
  }
  return { protectedPods, others }
}
