import type { Labels } from '#api/meta/labels.ts'
import type { Node, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { ClusterObjects } from './cluster-objects.ts'
import type { PodCounting } from './counting/pod-counting.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/**
 * A scheduling rule: one file in `plugins/`, one row in `plugins/default-plugins.ts`. All functions but `beforeBind`
 * are synchronous and pure over the snapshot they are given, so a whole cycle runs without interruption.
 *
 * `State` is what the plugin computed for the pod once (`prepare`) and gets back for every node. The snapshot may change
 * between two calls of `filter` (preemption asks what would be if some pods were gone), so a state may hold references
 * to live counts of the snapshot, but no copies of them.
 */
export interface SchedulerPlugin<State = unknown, Scoring = State> {
  readonly name: string
  /** Before the pod may enter the queue: a reason to hold it back, or nothing. */
  readonly preEnqueue?: (pod: Pod) => Rejection | undefined
  /**
   * Once per pod and cycle. `'skip'` leaves the plugin's filter and score out for this pod; a `Veto` says that no node
   * can take the pod.
   */
  readonly prepare?: (pod: PodInfo, snapshot: Snapshot) => State | 'skip' | Veto
  /** The only nodes that can come into question, by name, where the pod says so. Spares a look at all others. */
  readonly onlyNodes?: (pod: PodInfo) => ReadonlySet<string> | undefined
  /** Why the pod cannot run on the node, or nothing if it can. */
  readonly filter?: (pod: PodInfo, node: NodeInfo, state: State) => Rejection | undefined
  /** Once per pod, when several nodes passed all filters: what `score` needs, or `'skip'`. Default: the state. */
  readonly prepareScore?: (
    pod: PodInfo,
    feasible: readonly NodeInfo[],
    state: State,
    snapshot: Snapshot,
  ) => Scoring | 'skip'
  /** How well the node suits, higher is better; any range, see `normalize`. */
  readonly score?: (pod: PodInfo, node: NodeInfo, scoring: Scoring) => number
  /** How raw scores become 0..100: as they are, by the highest, reversed by the highest, or in place. Default `'none'`. */
  readonly normalize?:
    | 'none'
    | 'byHighest'
    | 'byHighestReversed'
    | ((scores: Float64Array, feasible: readonly NodeInfo[], scoring: Scoring) => void)
  /** The share of the plugin's score in the sum; default 1. */
  readonly weight?: number
  /** What must happen in the API before the pod may be bound to the node. A rejected promise puts the pod back. */
  readonly beforeBind?: (pod: Pod, node: Node, context: BindContext) => Promise<void>
  /** Whether a change may let a pod run that this plugin has rejected. Default: every change may. */
  readonly helpedBy?: (change: ClusterChange, pod: PodInfo) => boolean
}

/** Why not, in the words `kubectl describe` shows, and what is missing where it can be counted. */
export interface Rejection {
  readonly plugin: string
  readonly reason: string
  /** Removing pods from the node would not help: preemption leaves the node out. */
  readonly unresolvable?: boolean
  readonly missing?: { readonly resource: string; readonly requested: number; readonly free: number }
}

/** A rejection by `prepare`: it holds for every node. */
export class Veto {
  readonly rejection: Rejection

  constructor(plugin: string, reason: string) {
    this.rejection = { plugin, reason, unresolvable: true }
  }
}

export interface Snapshot {
  /** The zones take turns, so that any stretch of the list holds nodes of all of them. */
  readonly nodes: readonly NodeInfo[]
  readonly node: (name: string) => NodeInfo | undefined
  /** On how many nodes an image is. */
  readonly nodesWithImage: (name: string) => number
  /** How many nodes have a taint that keeps pods away, and how many are cordoned. */
  readonly taintedNodes: number
  readonly softTaintedNodes: number
  readonly cordonedNodes: number
  /** The lowest priority of all placed pods; infinite without any. */
  readonly lowestPriority: number
  /** How many placed pods use the claim `namespace/name`. */
  readonly claimUsers: (key: string) => number
  readonly counting: PodCounting
  readonly objects: ClusterObjects
  /** Answers a question as if some pods were on the node, and some of its pods were not. */
  readonly supposing: <T>(node: NodeInfo, question: (trial: Trial) => T) => T
}

/** Changes the pods of a node until the question is answered. */
export interface Trial {
  add(pod: PodInfo): void
  remove(pod: PodInfo): void
}

/** What a plugin may use to prepare a binding in the API. */
export interface BindContext {
  readonly client: Client
  readonly clock: Clock
  readonly claims: Informer<PersistentVolumeClaim>
  readonly objects: ClusterObjects
  readonly signal: AbortSignal
}

/** A change of the cluster that pods in the unschedulable set may be waiting for. */
export type ClusterChange =
  | { readonly type: 'nodeAdded'; readonly node: Node }
  | { readonly type: 'nodeUpdated'; readonly node: Node; readonly previous: Node }
  /** A bound pod went away or finished: its resources and ports are free. */
  | { readonly type: 'podFreed'; readonly pod: PodInfo }
  | { readonly type: 'podBound'; readonly pod: PodInfo }
  /** A bound pod has other labels, has begun to terminate, or asks for less. */
  | { readonly type: 'podUpdated'; readonly pod: PodInfo; readonly previous: PodInfo }
  | { readonly type: 'namespaceLabeled'; readonly name: string; readonly labels: Labels | undefined }
  | { readonly type: 'storageChanged'; readonly object: KubernetesObject }

/** Fixes the type of a plugin's state and forgets it, so that all plugins fit one table. */
export function definePlugin<State, Scoring = State>(plugin: SchedulerPlugin<State, Scoring>): SchedulerPlugin {
  return plugin as unknown as SchedulerPlugin
}

export const maxNodeScore = 100
