import type { Node, Pod } from '#api/types/core.v1.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * A scheduling rule: one file in `plugins/`, one row in `plugins/default-plugins.ts`. All functions are synchronous
 * and pure over the snapshot they are given, so a whole cycle runs without interruption.
 *
 * `State` is what the plugin computed for the pod once (`prepare`) and gets back for every node.
 */
export interface SchedulerPlugin<State = unknown> {
  readonly name: string
  /** Before the pod may enter the queue: a reason to hold it back, or nothing. */
  readonly preEnqueue?: (pod: Pod) => Rejection | undefined
  /** Once per pod and cycle. `'skip'` leaves the plugin's filter and score out for this pod. */
  readonly prepare?: (pod: Pod, snapshot: Snapshot) => State | 'skip'
  /** Why the pod cannot run on the node, or nothing if it can. */
  readonly filter?: (pod: Pod, node: NodeInfo, state: State) => Rejection | undefined
  /** How well the node suits, higher is better; any range, see `normalize`. */
  readonly score?: (pod: Pod, node: NodeInfo, state: State) => number
  /** How raw scores become 0..100: as they are, by the highest, or reversed by the highest. Default `'none'`. */
  readonly normalize?: 'none' | 'byHighest' | 'byHighestReversed'
  /** The share of the plugin's score in the sum; default 1. */
  readonly weight?: number
  /** Whether a change may let a pod run that this plugin has rejected. Default: every change may. */
  readonly helpedBy?: (change: ClusterChange, pod: Pod) => boolean
}

/** Why not, in the words `kubectl describe` shows, and what is missing where it can be counted. */
export interface Rejection {
  readonly plugin: string
  readonly reason: string
  readonly missing?: { readonly resource: string; readonly requested: number; readonly free: number }
}

export interface Snapshot {
  readonly nodes: readonly NodeInfo[]
  /** On how many nodes an image is. */
  readonly nodesWithImage: (name: string) => number
}

/** A change of the cluster that pods in the unschedulable set may be waiting for. */
export type ClusterChange =
  | { readonly type: 'nodeAdded'; readonly node: Node }
  | { readonly type: 'nodeUpdated'; readonly node: Node; readonly previous: Node }
  /** A bound pod went away or finished: its resources and ports are free. */
  | { readonly type: 'podFreed'; readonly pod: Pod }
  | { readonly type: 'podBound'; readonly pod: Pod }

/** Fixes the type of a plugin's state and forgets it, so that all plugins fit one table. */
export function definePlugin<State>(plugin: SchedulerPlugin<State>): SchedulerPlugin {
  return plugin as unknown as SchedulerPlugin
}

export const maxNodeScore = 100
