import type { Shortage } from '#api/core/v1/scheduling-explanation.ts'
import type { Labels } from '#api/meta/labels.ts'
import type { Node, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informer } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { ClusterObjects } from './cluster-objects.ts'
import type { PodCounting } from './counting/pod-counting.ts'
import type { AssumedAllocations } from './devices/assumed-allocations.ts'
import type { NodeChanges } from './node-changes.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

/**
 * A scheduling rule: one file in `plugins/`, one row in `plugins/default-plugins.ts`. Each function is one extension
 * point of Kubernetes' scheduling framework under its own name. All but `preBind` and `bind` are synchronous, and those
 * up to `score` are pure over the snapshot they are given, so a whole cycle runs without interruption.
 *
 * `State` is what the plugin computed for the pod once (`preFilter`) and gets back at every later point. The snapshot
 * may change between two calls of `filter` (preemption asks what would be if some pods were gone), so a state may hold
 * references to live counts of the snapshot, but no copies of them.
 */
export interface SchedulerPlugin<State = unknown, Scoring = State> {
  readonly name: string
  /** Which of two waiting pods is tried first: negative for the first one. One plugin of all profiles has this. */
  readonly queueSort?: (a: WaitingInQueue, b: WaitingInQueue) => number
  /** Before the pod may enter the queue: a reason to hold it back, or nothing. */
  readonly preEnqueue?: (pod: Pod) => Rejection | undefined
  /**
   * Once per pod and cycle. `'skip'` leaves the plugin out of all that follows for this pod; a `Veto` says that no node
   * can take the pod.
   */
  readonly preFilter?: (pod: PodInfo, snapshot: Snapshot) => State | 'skip' | Veto
  /** The only nodes that can come into question, by name, where the pod says so. Spares a look at all others. */
  readonly onlyNodes?: (pod: PodInfo) => ReadonlySet<string> | undefined
  /** Why the pod cannot run on the node, or nothing if it can. */
  readonly filter?: (pod: PodInfo, node: NodeInfo, state: State) => Rejection | undefined
  /** What can be done for a pod that no node takes. The first plugin that makes room ends the walk. */
  readonly postFilter?: (pod: PodInfo, refusal: Refusal, context: PostFilterContext) => Awaitable<PostFilterOutcome>
  /** Once per pod, when several nodes passed all filters: what `score` needs, or `'skip'`. Default: the state. */
  readonly preScore?: (
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
  /** Sets aside what the pod will use on the node that was chosen; an objection sends the pod back. */
  readonly reserve?: (pod: PodInfo, node: NodeInfo, state: State) => Rejection | undefined
  /** Gives up what `reserve` set aside, as the pod will not be bound after all. Also called where `reserve` objected. */
  readonly unreserve?: (pod: PodInfo, node: NodeInfo, state: State) => void
  /** Lets the pod go on to its binding, sends it back, or has it wait until `waiting` is told more. */
  readonly permit?: (pod: PodInfo, node: NodeInfo, waiting: PermitQueue) => Rejection | PermitWait | undefined
  /** What must happen in the API before the pod may be bound to the node. A rejected promise puts the pod back. */
  readonly preBind?: (pod: PodInfo, node: Node, context: BindContext, state: State) => Promise<void>
  /** Whether `preBind` has to write or to wait for the pod on this node. Default: no. */
  readonly preBindTakesTime?: (node: NodeInfo, state: State) => boolean
  /** Binds the pod, or leaves it to the next plugin. */
  readonly bind?: (pod: PodInfo, node: Node, context: BindContext) => Promise<'bound' | 'skip'>
  /** After the pod was bound. */
  readonly postBind?: (pod: PodInfo, node: Node, context: BindContext, state: State) => void
  /**
   * All that `filter` and `score` look at of the pod, where they look at nothing else but the node itself: two pods of
   * one signature are judged alike on every node. Plugins whose score is normalized have none.
   */
  readonly signature?: (pod: PodInfo, state: State) => string
  /** What would make a node suit that `filter` rejected, as in `free 200m cpu on n3`. Asked for only to explain. */
  readonly remedy?: (pod: PodInfo, node: NodeInfo) => string | undefined
  /** Whether a change may let a pod run that this plugin has rejected. Default: every change may. */
  readonly helpedBy?: (change: ClusterChange, pod: PodInfo) => boolean
}

type Awaitable<T> = T | Promise<T>

/** A pod of the queue, as far as its order goes. */
export interface WaitingInQueue {
  readonly pod: Pod
  /** When it first entered the queue, and which it was among those of the same millisecond. */
  readonly enteredMs: number
  readonly sequence: number
}

/** Why not, in the words `kubectl describe` shows, and what is missing where it can be counted. */
export interface Rejection {
  readonly plugin: string
  readonly reason: string
  /** Removing pods from the node would not help: preemption leaves the node out. */
  readonly unresolvable?: boolean
  readonly missing?: readonly Shortage[]
}

/** A rejection by `preFilter`: it holds for every node. */
export class Veto {
  readonly rejection: Rejection

  constructor(plugin: string, reason: string, options: { readonly isResolvable?: boolean } = {}) {
    this.rejection = { plugin, reason, ...(options.isResolvable !== true && { unresolvable: true }) }
  }
}

/** What was said of one node. */
export interface RejectedNode {
  readonly node: NodeInfo
  readonly rejection: Rejection
}

/** No node takes the pod. */
export interface Refusal {
  readonly type: 'reject'
  /** Set when the pod was refused before any node was looked at. */
  readonly veto?: Rejection
  readonly rejected: readonly RejectedNode[]
  readonly message: string
  /** The first objection to a node as it now is, or is supposed to be; absent after a veto. */
  readonly objectionTo?: (node: NodeInfo) => Rejection | undefined
}

/** What `postFilter` may use: it decides, and its `work` carries out. */
export interface PostFilterContext {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly events: EventRecorder
  readonly schedulerName: string
  readonly snapshot: Snapshot
  readonly nominations: Nominations
  readonly waiting: PermitQueue
  readonly extenders: readonly Extender[]
}

export interface PostFilterOutcome {
  /** What the pod's condition is to say beside the refusal; nothing once room is being made. */
  readonly message?: string
  /** Where room is being made; empty to take back an earlier nomination, absent to leave it. */
  readonly nominatedNodeName?: string
  /** What happens in the API, as far as it takes time. Never rejects. */
  readonly work?: Promise<void>
}

/** Pods that are to go to a node once others have made room there. */
export interface Nominations {
  nominate(pod: PodInfo, nodeName: string): void
  withdrawNomination(uid: string): void
}

/** How long `permit` has the pod wait before it is sent back. */
export interface PermitWait {
  readonly waitMs: number
}

/** The pods that `permit` has told to wait. */
export interface PermitQueue {
  /** Pods that wait, with the plugins that have not yet allowed them. */
  pods(): readonly { readonly pod: PodInfo; readonly node: NodeInfo; readonly plugins: readonly string[] }[]
  /** The plugin lets the pod go on; it does once all plugins have. */
  allow(uid: string, plugin: string): void
  /** Sends the pod back; false if it does not wait. */
  reject(uid: string, rejection: Rejection): boolean
}

/** A program beside the scheduler that has a say over HTTP (KubeSchedulerConfiguration v1, `extenders`). */
export interface Extender {
  readonly name: string
  /** Its failures are passed over. */
  readonly isIgnorable: boolean
  /** Resources that the scheduler's own fit leaves to it. */
  readonly ignoredResources: readonly string[]
  isInterestedIn(pod: Pod): boolean
  readonly filter?: (pod: PodInfo, nodes: readonly NodeInfo[]) => Promise<ExtenderFiltering>
  /** What each node gets on top of the plugins' scores, by name. */
  readonly prioritize?: (pod: PodInfo, nodes: readonly NodeInfo[]) => Promise<ReadonlyMap<string, number>>
  /** The candidates that remain, perhaps with other victims. */
  readonly preempt?: (pod: PodInfo, candidates: readonly Candidate[]) => Promise<readonly Candidate[]>
  readonly bind?: (pod: PodInfo, nodeName: string) => Promise<void>
}

export interface ExtenderFiltering {
  readonly feasible: readonly NodeInfo[]
  readonly rejected: readonly RejectedNode[]
}

/** A node that could take the pod if some of its pods were gone. */
export interface Candidate {
  readonly node: NodeInfo
  /** The most important first. */
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget would spare. */
  readonly violations: number
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
  /** Volumes that claims are about to get: by name, the `namespace/name` of the claim. */
  readonly assumedVolumes: Map<string, string>
  /** Devices that claims are about to get. */
  readonly assumedAllocations: AssumedAllocations
  /** Which nodes have changed, and how often. */
  readonly changes: NodeChanges
  /** Pods wait for others to make room on some node. */
  readonly isAnyNominated: boolean
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
  readonly random: Random
  readonly events: EventRecorder
  readonly claims: Informer<PersistentVolumeClaim>
  readonly resourceClaims: Informer<ResourceClaim>
  readonly objects: ClusterObjects
  readonly signal: AbortSignal
}

/** A change of the cluster that pods in the unschedulable set may be waiting for. */
export type ClusterChange =
  | { readonly type: 'nodeAdded'; readonly node: Node }
  | { readonly type: 'nodeRemoved'; readonly node: Node }
  | { readonly type: 'nodeUpdated'; readonly node: Node; readonly previous: Node }
  /** A bound pod went away or finished: its resources and ports are free. */
  | { readonly type: 'podFreed'; readonly pod: PodInfo }
  | { readonly type: 'podBound'; readonly pod: PodInfo }
  /** A bound pod has other labels, has begun to terminate, or asks for less. */
  | { readonly type: 'podUpdated'; readonly pod: PodInfo; readonly previous: PodInfo }
  | { readonly type: 'namespaceLabeled'; readonly name: string; readonly labels: Labels | undefined }
  | { readonly type: 'storageChanged'; readonly object: KubernetesObject; readonly isGone: boolean }
  /** A resource claim, a resource slice or a device class. */
  | { readonly type: 'devicesChanged'; readonly object: KubernetesObject; readonly isGone: boolean }

/** Fixes the type of a plugin's state and forgets it, so that all plugins fit one table. */
export function definePlugin<State, Scoring = State>(plugin: SchedulerPlugin<State, Scoring>): SchedulerPlugin {
  return plugin as unknown as SchedulerPlugin
}

export const maxNodeScore = 100
