import { maxNodeScore, type SchedulerPlugin, type Snapshot } from './framework.ts'
import type { PreparedPod } from './filters.ts'
import type { NodeInfo } from './node-info.ts'

/** The weighted sums of all plugins' scores, in the order of the nodes. */
export function scoreNodes(
  { pod, profile, states }: PreparedPod,
  feasible: readonly NodeInfo[],
  snapshot: Snapshot,
): Float64Array {
  const totals = new Float64Array(feasible.length)
  const scores = new Float64Array(feasible.length)
  for (const { plugin, slot, weight } of profile.points.score) {
    const state = states[slot]
    if (!plugin.score || state === 'skip') continue
    const scoring = plugin.preScore ? plugin.preScore(pod, feasible, state, snapshot) : state
    if (scoring === 'skip') continue
    for (let index = 0; index < feasible.length; index++) {
      scores[index] = plugin.score(pod, feasible[index] as NodeInfo, scoring)
    }
    normalize(plugin, scores, feasible, scoring)
    for (let index = 0; index < feasible.length; index++) {
      totals[index] = (totals[index] as number) + (scores[index] as number) * weight
    }
  }
  return totals
}

function normalize(plugin: SchedulerPlugin, scores: Float64Array, nodes: readonly NodeInfo[], scoring: unknown): void {
  const how = plugin.normalize ?? 'none'
  if (how === 'none') return
  if (typeof how === 'function') return how(scores, nodes, scoring)
  const reversed = how === 'byHighestReversed'
  let highest = 0
  for (const score of scores) highest = Math.max(highest, score)
  for (let index = 0; index < scores.length; index++) {
    const share = highest === 0 ? 0 : Math.floor((maxNodeScore * (scores[index] as number)) / highest)
    scores[index] = reversed ? maxNodeScore - share : share
  }
}
