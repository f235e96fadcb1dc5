import type { Random } from '#lib/random.ts'
import { preparePlugins, rejectionBeside, type PreparedPlugins } from './filters.ts'
import { Veto, type Rejection, type SchedulerPlugin, type Snapshot } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import { unavailableMessage, type RejectedNode } from './rejected-nodes.ts'
import { scoreNodes } from './scores.ts'

/** What one look at the cluster decided for a pod. */
export type Decision = Placement | Refusal

export interface Placement {
  readonly type: 'place'
  readonly node: NodeInfo
  readonly feasible: number
  readonly evaluated: number
  readonly rejected: readonly RejectedNode[]
}

export interface Refusal {
  readonly type: 'reject'
  /** Set when the pod was refused before any node was looked at. */
  readonly veto?: Rejection
  readonly rejected: readonly RejectedNode[]
  readonly message: string
  /** What preemption goes on with; absent after a veto. */
  readonly prepared?: PreparedPlugins
}

export interface CycleOptions {
  readonly plugins: readonly SchedulerPlugin[]
  readonly random: Random
  /** Where the search for nodes begins, so that all nodes get their turn when not all are looked at. */
  readonly startAt: number
  /** The share of nodes to find before choosing, 1..100; default by the size of the cluster. */
  readonly percentageOfNodesToScore?: number | undefined
}

/** Chooses a node for the pod by the plugins' filters and scores. Synchronous and without effects. */
export function decide(pod: PodInfo, snapshot: Snapshot, options: CycleOptions): Decision {
  const { nodes } = snapshot
  if (nodes.length === 0) return { type: 'reject', rejected: [], message: 'no nodes available to schedule pods' }
  const prepared = preparePlugins(pod, snapshot, options.plugins)
  if (prepared instanceof Veto) {
    const message = `0/${nodes.length} nodes are available: ${prepared.rejection.reason}.`
    return { type: 'reject', veto: prepared.rejection, rejected: [], message }
  }
  const nominated = nominatedNode(pod, snapshot, prepared)
  if (nominated) return { type: 'place', node: nominated, feasible: 1, evaluated: 1, rejected: [] }
  const { feasible, rejected, evaluated } = findNodes(prepared, snapshot, options)
  if (feasible.length === 0) {
    return { type: 'reject', rejected, message: unavailableMessage(nodes.length, rejected), prepared }
  }
  const node = best(feasible, prepared, snapshot, options.random)
  return { type: 'place', node, feasible: feasible.length, evaluated, rejected }
}

/** The node that others are making room on for the pod, if it suits by now. */
function nominatedNode({ pod }: PodInfo, snapshot: Snapshot, prepared: PreparedPlugins): NodeInfo | undefined {
  const node = snapshot.node(pod.status?.nominatedNodeName ?? '')
  return node && rejectionBeside(prepared, node, snapshot) === undefined ? node : undefined
}

function findNodes(prepared: PreparedPlugins, snapshot: Snapshot, options: CycleOptions) {
  const named = namedNodes(prepared)
  if (named) return lookAt(named, prepared, snapshot)
  const { nodes } = snapshot
  const feasible: NodeInfo[] = []
  const rejected: RejectedNode[] = []
  const enough = nodesToFind(nodes.length, options.percentageOfNodesToScore)
  let evaluated = 0
  for (let at = options.startAt % nodes.length; evaluated < nodes.length && feasible.length < enough; evaluated++) {
    const node = nodes[at] as NodeInfo
    const rejection = rejectionBeside(prepared, node, snapshot)
    if (rejection) rejected.push({ node, rejection })
    else feasible.push(node)
    at = at + 1 === nodes.length ? 0 : at + 1
  }
  return { feasible, rejected, evaluated }
}

/** The nodes that a plugin names as the only ones in question. */
function namedNodes({ pod, plugins }: PreparedPlugins): NamedNodes | undefined {
  for (const { plugin } of plugins) {
    const names = plugin.onlyNodes?.(pod)
    if (names) return { names, plugin: plugin.name }
  }
  return undefined
}

interface NamedNodes {
  readonly names: ReadonlySet<string>
  readonly plugin: string
}

function lookAt({ names, plugin }: NamedNodes, prepared: PreparedPlugins, snapshot: Snapshot) {
  const feasible: NodeInfo[] = []
  const rejected: RejectedNode[] = []
  for (const name of names) {
    const node = snapshot.node(name)
    if (!node) continue
    const rejection = rejectionBeside(prepared, node, snapshot)
    if (rejection) rejected.push({ node, rejection })
    else feasible.push(node)
  }
  if (feasible.length === 0) {
    const rejection = { plugin, reason: `node(s) didn't satisfy plugin(s) [${plugin}]`, unresolvable: true }
    for (const node of snapshot.nodes) if (!names.has(node.name)) rejected.push({ node, rejection })
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

function best(feasible: readonly NodeInfo[], prepared: PreparedPlugins, snapshot: Snapshot, random: Random): NodeInfo {
  const [only] = feasible
  if (feasible.length === 1 && only) return only
  return feasible[indexOfBest(scoreNodes(prepared, feasible, snapshot), random)] as NodeInfo
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
