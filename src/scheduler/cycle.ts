import type { Random } from '#lib/random.ts'
import { preparePod, rejectionBeside, type PreparedPod } from './filters.ts'
import { Veto, type Refusal, type RejectedNode, type Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { Profile } from './profile.ts'
import type { Rankings } from './rankings.ts'
import { RejectedNodes, unavailableMessage } from './rejected-nodes.ts'
import { scoreNodes } from './scores.ts'

/** What one look at the cluster decided for a pod. */
export type Decision = Placement | Refusal

export interface Placement {
  readonly type: 'place'
  readonly node: NodeInfo
  readonly feasible: number
  readonly evaluated: number
  readonly rejected: RejectedNodes
  readonly prepared: PreparedPod
}

export interface CycleOptions {
  readonly profile: Profile
  readonly random: Random
  /** Where the search for nodes begins, so that all nodes get their turn when not all are looked at. */
  readonly startAt: number
  /** What is remembered of earlier pods; absent: nothing. */
  readonly rankings?: Rankings
}

/** The nodes that passed all filters: more than one, or others still have a say. */
export interface Choice {
  readonly type: 'choose'
  readonly feasible: readonly NodeInfo[]
  readonly rejected: RejectedNodes
  readonly evaluated: number
  readonly prepared: PreparedPod
}

/** Chooses a node for the pod by the plugins' filters and scores. Synchronous and without effects. */
export function decide(pod: PodInfo, snapshot: Snapshot, options: CycleOptions): Decision {
  const found = findNodes(pod, snapshot, options)
  return found.type === 'choose' ? choose(found, snapshot, options.random) : found
}

/** The first half of a decision: which nodes could take the pod. */
export function findNodes(pod: PodInfo, snapshot: Snapshot, options: CycleOptions): Decision | Choice {
  const { nodes } = snapshot
  if (nodes.length === 0) return { type: 'reject', rejected: [], message: 'no nodes available to schedule pods' }
  const prepared = preparePod(pod, snapshot, options.profile)
  if (prepared instanceof Veto) {
    const message = `0/${nodes.length} nodes are available: ${prepared.rejection.reason}.`
    return { type: 'reject', veto: prepared.rejection, rejected: [], message }
  }
  const nominated = nominatedNode(pod, snapshot, prepared)
  if (nominated) return { type: 'choose', feasible: [nominated], evaluated: 1, rejected: new RejectedNodes(), prepared }
  const best = options.rankings?.best(prepared, snapshot)
  if (best) {
    return { type: 'place', ...best, evaluated: 0, rejected: new RejectedNodes(), prepared }
  }
  const { feasible, rejected, evaluated } = filterNodes(prepared, snapshot, options)
  if (feasible.length === 0) return refusalOf(prepared, rejected.list(), snapshot)
  return { type: 'choose', feasible, rejected, evaluated, prepared }
}

/** What is said where all nodes were turned down. */
export function refusalOf(prepared: PreparedPod, rejected: readonly RejectedNode[], snapshot: Snapshot): Refusal {
  const message = unavailableMessage(snapshot.nodes.length, rejected)
  const objectionTo = (node: NodeInfo) => rejectionBeside(prepared, node, snapshot)
  return { type: 'reject', rejected, message, objectionTo }
}

/** The second half: the best of the nodes, by the plugins' scores and what else each node gets, by name. */
export function choose(
  { feasible, rejected, evaluated, prepared }: Choice,
  snapshot: Snapshot,
  random: Random,
  extra?: ReadonlyMap<string, number>,
): Placement {
  const node = best(feasible, prepared, snapshot, random, extra)
  return { type: 'place', node, feasible: feasible.length, evaluated, rejected, prepared }
}

/** The node that others are making room on for the pod, if it suits by now. */
function nominatedNode({ pod }: PodInfo, snapshot: Snapshot, prepared: PreparedPod): NodeInfo | undefined {
  const node = snapshot.node(pod.status?.nominatedNodeName ?? '')
  return node && rejectionBeside(prepared, node, snapshot) === undefined ? node : undefined
}

function filterNodes(prepared: PreparedPod, snapshot: Snapshot, { profile, startAt }: CycleOptions) {
  const named = namedNodes(prepared)
  if (named) return lookAt(named, prepared, snapshot)
  const { nodes } = snapshot
  const feasible: NodeInfo[] = []
  const rejected = new RejectedNodes()
  const enough = nodesToFind(nodes.length, profile.percentageOfNodesToScore)
  let evaluated = 0
  for (let at = startAt % nodes.length; evaluated < nodes.length && feasible.length < enough; evaluated++) {
    const node = nodes[at] as NodeInfo
    const rejection = rejectionBeside(prepared, node, snapshot)
    if (rejection) rejected.add(node, rejection)
    else feasible.push(node)
    at = at + 1 === nodes.length ? 0 : at + 1
  }
  return { feasible, rejected, evaluated }
}

/** The nodes that a plugin names as the only ones in question. */
function namedNodes({ pod, profile }: PreparedPod): NamedNodes | undefined {
  for (const { plugin } of profile.points.preFilter) {
    const names = plugin.onlyNodes?.(pod)
    if (names) return { names, plugin: plugin.name }
  }
  return undefined
}

interface NamedNodes {
  readonly names: ReadonlySet<string>
  readonly plugin: string
}

function lookAt({ names, plugin }: NamedNodes, prepared: PreparedPod, snapshot: Snapshot) {
  const feasible: NodeInfo[] = []
  const rejected = new RejectedNodes()
  for (const name of names) {
    const node = snapshot.node(name)
    if (!node) continue
    const rejection = rejectionBeside(prepared, node, snapshot)
    if (rejection) rejected.add(node, rejection)
    else feasible.push(node)
  }
  if (feasible.length === 0) {
    const rejection = { plugin, reason: `node(s) didn't satisfy plugin(s) [${plugin}]`, unresolvable: true }
    for (const node of snapshot.nodes) if (!names.has(node.name)) rejected.add(node, rejection)
  }
  return { feasible, rejected, evaluated: names.size }
}

/**
 * In large clusters a share of the nodes is enough: 50 % less one percent for every 125 nodes, at least 5 %, and never
 * fewer than 100 nodes (KubeSchedulerConfiguration, percentageOfNodesToScore).
 */
export function nodesToFind(nodeCount: number, wanted?: number): number {
  if (nodeCount <= 100) return nodeCount
  const percentage = wanted ?? Math.max(50 - Math.floor(nodeCount / 125), 5)
  return Math.max(Math.floor((nodeCount * percentage) / 100), 100)
}

function best(
  feasible: readonly NodeInfo[],
  prepared: PreparedPod,
  snapshot: Snapshot,
  random: Random,
  extra?: ReadonlyMap<string, number>,
): NodeInfo {
  const [only] = feasible
  if (feasible.length === 1 && only) return only
  const totals = scoreNodes(prepared, feasible, snapshot)
  if (extra)
    for (const [index, { name }] of feasible.entries()) totals[index] = (totals[index] ?? 0) + (extra.get(name) ?? 0)
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
