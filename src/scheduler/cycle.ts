import type { Pod } from '#api/types/core.v1.ts'
import type { Random } from '#lib/random.ts'
import { maxNodeScore, type Rejection, type SchedulerPlugin, type Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'

/** What one look at the cluster decided for a pod. */
export type Decision =
  | { readonly type: 'place'; readonly node: NodeInfo; readonly feasible: number; readonly evaluated: number }
  | { readonly type: 'reject'; readonly rejections: ReadonlyMap<string, Rejection>; readonly message: string }

export interface CycleOptions {
  readonly plugins: readonly SchedulerPlugin[]
  readonly random: Random
  /** Where the search for nodes begins, so that all nodes get their turn when not all are looked at. */
  readonly startAt: number
}

interface PreparedPlugin {
  readonly plugin: SchedulerPlugin
  readonly state: unknown
}

/** Chooses a node for the pod by the plugins' filters and scores. Synchronous and without effects. */
export function decide(pod: Pod, snapshot: Snapshot, options: CycleOptions): Decision {
  const prepared = prepare(pod, snapshot, options.plugins)
  const rejections = new Map<string, Rejection>()
  const feasible: NodeInfo[] = []
  const enough = nodesToFind(snapshot.nodes.length)
  let evaluated = 0
  for (; evaluated < snapshot.nodes.length && feasible.length < enough; evaluated++) {
    const node = snapshot.nodes[(options.startAt + evaluated) % snapshot.nodes.length] as NodeInfo
    const rejection = firstRejection(pod, node, prepared)
    if (rejection) rejections.set(node.node.metadata.name, rejection)
    else feasible.push(node)
  }
  if (feasible.length === 0) return { type: 'reject', rejections, message: unschedulableMessage(snapshot, rejections) }
  return { type: 'place', node: best(pod, feasible, prepared, options.random), feasible: feasible.length, evaluated }
}

function prepare(pod: Pod, snapshot: Snapshot, plugins: readonly SchedulerPlugin[]): PreparedPlugin[] {
  return plugins
    .map((plugin) => ({ plugin, state: plugin.prepare?.(pod, snapshot) }))
    .filter(({ state }) => state !== 'skip')
}

function firstRejection(pod: Pod, node: NodeInfo, prepared: readonly PreparedPlugin[]): Rejection | undefined {
  for (const { plugin, state } of prepared) {
    const rejection = plugin.filter?.(pod, node, state)
    if (rejection) return rejection
  }
  return undefined
}

/**
 * In large clusters a share of the nodes is enough: 50 % less one percent for every 125 nodes, at least 5 %, and never
 * fewer than 100 nodes (KubeSchedulerConfiguration, percentageOfNodesToScore).
 */
export function nodesToFind(nodeCount: number): number {
  if (nodeCount <= 100) return nodeCount
  const percentage = Math.max(50 - Math.floor(nodeCount / 125), 5)
  return Math.max(Math.floor((nodeCount * percentage) / 100), 100)
}

function best(pod: Pod, feasible: readonly NodeInfo[], prepared: readonly PreparedPlugin[], random: Random): NodeInfo {
  const [only] = feasible
  if (feasible.length === 1 && only) return only
  const totals = new Float64Array(feasible.length)
  for (const { plugin, state } of prepared) {
    if (!plugin.score) continue
    const scores = normalized(
      plugin,
      feasible.map((node) => plugin.score?.(pod, node, state) ?? 0),
    )
    scores.forEach((score, index) => (totals[index] = (totals[index] ?? 0) + score * (plugin.weight ?? 1)))
  }
  return feasible[indexOfBest(totals, random)] as NodeInfo
}

/** Among equals each has the same chance. */
function indexOfBest(totals: Float64Array, random: Random): number {
  let chosen = 0
  let equals = 1
  for (let index = 1; index < totals.length; index++) {
    const difference = (totals[index] as number) - (totals[chosen] as number)
    if (difference > 0) [chosen, equals] = [index, 1]
    else if (difference === 0 && random.next() * ++equals < 1) chosen = index
  }
  return chosen
}

function normalized(plugin: SchedulerPlugin, scores: number[]): number[] {
  if (plugin.normalize === undefined || plugin.normalize === 'none') return scores
  const highest = Math.max(...scores)
  const reversed = plugin.normalize === 'byHighestReversed'
  if (highest === 0) return scores.map(() => (reversed ? maxNodeScore : 0))
  return scores.map((score) => {
    const share = Math.floor((maxNodeScore * score) / highest)
    return reversed ? maxNodeScore - share : share
  })
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function unschedulableMessage(snapshot: Snapshot, rejections: ReadonlyMap<string, Rejection>): string {
  if (snapshot.nodes.length === 0) return 'no nodes available to schedule pods'
  const counts = new Map<string, number>()
  for (const { reason } of rejections.values()) {
    for (const part of reason.split('\n')) counts.set(part, (counts.get(part) ?? 0) + 1)
  }
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
  return `0/${snapshot.nodes.length} nodes are available: ${parts.join(', ')}.`
}
