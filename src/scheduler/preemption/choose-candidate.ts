import type { Candidate } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { startedMs } from './victims.ts'

/** Larger than any priority is below zero, so that a victim more always adds to a sum of priorities. */
const priorityOffset = 2 ** 31

/**
 * The candidate that does least harm, by these in turn: fewest budgets violated, the least important most important
 * victim, the smallest sum of priorities, the fewest victims, the most important victims that started last.
 */
export function chooseCandidate(candidates: readonly Candidate[], nowMs: number): Candidate | undefined {
  const rules: readonly ((candidate: Candidate) => number)[] = [
    ({ violations }) => violations,
    ({ victims }) => highestPriority(victims),
    ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + priorityOffset, 0),
    ({ victims }) => victims.length,
    ({ victims }) => -earliestStart(victims, nowMs),
  ]
  let left = candidates
  for (const rule of rules) {
    if (left.length <= 1) break
    const costs = left.map(rule)
    const lowest = costs.reduce((a, b) => Math.min(a, b))
    left = left.filter((_candidate, index) => costs[index] === lowest)
  }
  return left[0]
}

function highestPriority(victims: readonly PodInfo[]): number {
  return victims.reduce((highest, { priority }) => Math.max(highest, priority), -priorityOffset)
}

/** When the first of the most important victims started. */
function earliestStart(victims: readonly PodInfo[], nowMs: number): number {
  const highest = highestPriority(victims)
  return victims
    .filter(({ priority }) => priority === highest)
    .reduce((earliest, info) => Math.min(earliest, startedMs(info, nowMs)), Infinity)
}
