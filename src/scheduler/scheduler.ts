import { isPodBound } from '#api/core/v1/pod-facts.ts'
import type { SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'

import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informers } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { bind } from './binding.ts'
import { ClusterCache } from './cluster-cache.ts'
import { followCluster } from './cluster-events.ts'
import { clusterObjects } from './cluster-objects.ts'
import { decide, type Decision, type Placement } from './cycle.ts'
import { Explanations, heldExplanation } from './explanations.ts'
import { PodInfo } from './pod-info.ts'
import { afterRefusal, type Concluded } from './after-refusal.ts'
import type { Refusal, Rejection, SchedulerPlugin, WaitingInQueue } from './framework.ts'
import { defineProfile, type Profile } from './profile.ts'
import { Rankings } from './rankings.ts'
import { reportUnscheduled } from './report-unscheduled.ts'
import { reserve } from './reservation.ts'
import { decideWithExtenders } from './scheduling-attempt.ts'
import { SchedulingQueue, type QueuedPod } from './scheduling-queue.ts'
import { WaitingPods } from './waiting-pods.ts'

export interface SchedulerOptions {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Pods are placed by the profile that they name; others are left alone. Default: only `default-scheduler`. */
  readonly profiles?: readonly Profile[]
  /** How long a pod that was refused waits at least, from the first to the most; default 1 s and 10 s. */
  readonly backoff?: { readonly initialBackoffMs: number; readonly maxBackoffMs: number } | undefined
}

export interface Scheduler {
  /** The last decision about the pod `namespace/name`, while it is among the last 1,000. */
  explain(podKey: string): SchedulingExplanation | undefined
  /** Nothing to try now and no binding under way. */
  isIdle(): boolean
  /** Stops taking pods; bindings under way finish or are given up. */
  stop(): Promise<void>
}

/** Pods tried in one turn of the event loop before others get theirs, and the time that they may take. */
const podsPerTurn = 50
const turnMs = 4
const maxBindingsInFlight = 500

/** Places pods on nodes as they appear, until stopped. */
export function startScheduler(options: SchedulerOptions): Scheduler {
  return new SchedulerLoop(options)
}

class SchedulerLoop implements Scheduler {
  readonly #options: SchedulerOptions
  readonly #profiles: ReadonlyMap<string, Profile>
  readonly #objects: ReturnType<typeof clusterObjects>
  readonly #cache: ClusterCache
  readonly #queue: SchedulingQueue
  readonly #waiting: WaitingPods
  readonly #explanations = new Explanations()
  readonly #rankings: Rankings
  readonly #unfollow: () => void
  readonly #work = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #turnPlanned = false
  #startAt = 0
  #isDeciding = false
  #isSynced = false

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#profiles = new Map((options.profiles ?? [defineProfile()]).map((profile) => [profile.schedulerName, profile]))
    this.#objects = clusterObjects(options.informers)
    this.#cache = new ClusterCache(this.#objects)
    this.#waiting = new WaitingPods(options.clock)
    this.#rankings = new Rankings(options.random)
    this.#queue = new SchedulingQueue({
      clock: options.clock,
      compare: comparisonOf([...this.#profiles.values()]),
      ...options.backoff,
      onReady: () => this.#planTurn(),
    })
    this.#unfollow = followCluster({
      informers: options.informers,
      objects: this.#objects,
      cache: this.#cache,
      queue: this.#queue,
      profileOf: (pod) => this.#profileOf(pod),
      ended: (uid) => this.#waiting.reject(uid, { plugin: '', reason: 'the pod was deleted' }),
    })
    options.informers.synced(this.#stopping.signal).then(
      () => this.#planTurn(),
      () => undefined,
    )
  }

  explain(podKey: string): SchedulingExplanation | undefined {
    const { namespace, name } = splitKey(podKey)
    const pod = this.#options.informers.of(pods).get(name, namespace)
    const known = this.#explanations.of(podKey)
    if (known?.node !== undefined || !pod) return known
    const profile = this.#profileOf(pod)
    return known && profile ? this.#withRemedies(known, new PodInfo(pod), profile) : (known ?? this.#explainHeld(pod))
  }

  /** What would help is asked only now, of the nodes as they are. */
  #withRemedies(known: SchedulingExplanation, info: PodInfo, profile: Profile): SchedulingExplanation {
    const named = new Map(profile.points.filter.map(({ plugin }) => [plugin.name, plugin]))
    const told = known.nodes.map((each) => {
      const node = this.#cache.node(each.node)
      const remedy = node && named.get(each.plugin)?.remedy?.(info, node)
      return remedy === undefined ? each : { ...each, remedy }
    })
    return { ...known, nodes: told }
  }

  /** A pod that may not enter the queue has never been decided about. */
  #explainHeld(pod: Pod): SchedulingExplanation | undefined {
    if (isPodBound(pod)) return undefined
    for (const { plugin } of this.#profileOf(pod)?.points.preEnqueue ?? []) {
      const veto = plugin.preEnqueue?.(pod)
      if (veto) return heldExplanation(pod, veto, this.#options.clock.now())
    }
    return undefined
  }

  isIdle(): boolean {
    return this.#hasSynced() && !this.#turnPlanned && this.#work.size === 0
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unfollow()
    this.#queue.close()
    for (const { pod } of this.#waiting.pods()) this.#waiting.reject(pod.uid, { plugin: '', reason: 'stopping' })
    await Promise.allSettled(this.#work)
  }

  #profileOf({ spec }: Pod): Profile | undefined {
    return this.#profiles.get(spec.schedulerName ?? 'default-scheduler')
  }

  /** Only what the scheduler itself looks at: another informer that cannot list must not hold up all pods. */
  #hasSynced(): boolean {
    if (this.#isSynced) return true
    const { informers } = this.#options
    const own = [informers.of(nodes), informers.of(pods), ...Object.values(this.#objects)]
    return (this.#isSynced = own.every(({ hasSynced }) => hasSynced))
  }

  #planTurn(): void {
    if (this.#turnPlanned || this.#stopping.signal.aborted) return
    this.#turnPlanned = true
    setImmediate(() => {
      this.#turnPlanned = false
      if (!this.#stopping.signal.aborted && this.#hasSynced()) this.#turn()
    })
  }

  #turn(): void {
    const { clock } = this.#options
    const startMs = clock.monotonic()
    for (let tried = 0; tried < podsPerTurn && clock.monotonic() - startMs < turnMs; tried++) {
      // Each finished binding plans the next turn.
      if (this.#isDeciding || this.#work.size >= maxBindingsInFlight) return
      const queued = this.#queue.take()
      if (!queued) return
      this.#attempt(queued)
    }
    this.#planTurn()
  }

  /** A fault of a plugin costs one pod a try, and not the others theirs. */
  #attempt(queued: QueuedPod): void {
    try {
      this.#schedule(queued)
    } catch (error) {
      this.#options.log.error('A pod could not be scheduled', { pod: keyOf(queued.pod), error })
      this.#queue.retry(queued)
    }
  }

  #schedule(queued: QueuedPod): void {
    const profile = this.#profileOf(queued.pod)
    if (!profile) return this.#queue.remove(queued.pod)
    const info = (queued.info ??= new PodInfo(queued.pod))
    const { random, log } = this.#options
    const options = { profile, random, startAt: this.#startAt, rankings: this.#rankings }
    if (!profile.extenders.some((extender) => extender.isInterestedIn(queued.pod))) {
      return this.#carryOut(queued, info, decide(info, this.#cache, options), profile)
    }
    this.#waitFor(this.#scheduleWithExtenders(queued, info, { ...options, snapshot: this.#cache, log }))
  }

  async #scheduleWithExtenders(
    queued: QueuedPod,
    info: PodInfo,
    attempt: Parameters<typeof decideWithExtenders>[1],
  ): Promise<void> {
    try {
      const decision = await decideWithExtenders(info, attempt)
      // Others may have taken the pod out of the queue meanwhile.
      if (queued.place !== 'taken') return
      if (decision) this.#carryOut(queued, info, decision, attempt.profile)
      else this.#queue.retry(queued)
    } catch (error) {
      attempt.log.warn('A pod could not be scheduled', { pod: keyOf(queued.pod), error })
      this.#queue.retry(queued)
    }
  }

  #carryOut(queued: QueuedPod, info: PodInfo, decision: Decision, profile: Profile): void {
    if (decision.type === 'reject') return this.#reject(queued, info, decision, profile)
    this.#startAt = (this.#startAt + decision.evaluated) % this.#cache.nodes.length
    const reservation = reserve(decision, this.#waiting)
    if (reservation.type === 'rejected') return this.#sendBack(queued, info, reservation.rejection, profile)
    this.#explanations.record(info, decision, this.#options.clock.now())
    this.#cache.placePod(info, decision.node.name)
    this.#track(this.#bind(queued, info, decision, reservation.waits))
  }

  /** No node takes the pod: perhaps a plugin can make room. */
  #reject(queued: QueuedPod, info: PodInfo, refusal: Refusal, profile: Profile): void {
    const outcome = afterRefusal(info, refusal, {
      ...this.#options,
      schedulerName: profile.schedulerName,
      snapshot: this.#cache,
      nominations: this.#cache,
      waiting: this.#waiting,
      extenders: profile.extenders,
      plugins: profile.points.postFilter,
    })
    if (!(outcome instanceof Promise)) return this.#conclude(queued, info, refusal, profile, outcome)
    this.#waitFor(outcome.then((known) => this.#conclude(queued, info, refusal, profile, known)))
  }

  #conclude(queued: QueuedPod, info: PodInfo, refusal: Refusal, profile: Profile, outcome: Concluded): void {
    const names = new Set(
      [refusal.veto, ...refusal.rejected.map(({ rejection }) => rejection)].map((each) => each?.plugin),
    )
    this.#explanations.record(info, refusal, this.#options.clock.now(), outcome.message)
    this.#queue.reject(queued, namedPlugins(profile, names))
    const reported = reportUnscheduled(queued.pod, outcome.message, this.#reporting(profile), outcome.nominatedNodeName)
    this.#track(Promise.all([reported, outcome.work]).then(() => undefined))
  }

  /** A plugin objected after a node had been chosen. */
  #sendBack(queued: QueuedPod, info: PodInfo, rejection: Rejection, profile: Profile): void {
    const refusal = { type: 'reject', veto: rejection, rejected: [], message: rejection.reason } as const
    this.#explanations.record(info, refusal, this.#options.clock.now(), rejection.reason)
    this.#queue.reject(queued, namedPlugins(profile, new Set([rejection.plugin])))
    this.#track(reportUnscheduled(queued.pod, rejection.reason, this.#reporting(profile)))
  }

  #reporting({ schedulerName }: Profile) {
    return { ...this.#options, events: this.#options.events.from(schedulerName) }
  }

  async #bind(
    queued: QueuedPod,
    info: PodInfo,
    placement: Placement,
    waits: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { client, clock, random, events, log } = this.#options
    const { profile } = placement.prepared
    const recorder = events.from(profile.schedulerName)
    const { signal } = this.#stopping
    const result = await bind(placement, {
      ...{ client, clock, random, log, signal, events: recorder, objects: this.#objects },
      ...{ claims: this.#objects.claims, resourceClaims: this.#objects.resourceClaims },
      allowed: waits.size > 0 ? this.#waiting.hold(info, placement.node, waits) : undefined,
    })
    if (result === 'bound') {
      this.#cache.withdrawNomination(queued.pod.metadata.uid)
      return this.#queue.remove(queued.pod)
    }
    this.#cache.removeAssumed(info)
    if (result === 'gone') this.#queue.remove(queued.pod)
    else if (result === 'failed') this.#queue.retry(queued)
    else this.#sendBack(queued, info, result, profile)
    // Others may have been refused what this pod only seemed to take.
    this.#queue.react({ type: 'podFreed', pod: info })
  }

  /** No other pod is tried until this is done: decisions are made one after the other. */
  #waitFor(work: Promise<void>): void {
    this.#isDeciding = true
    this.#track(work.finally(() => (this.#isDeciding = false)))
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#work.delete(tracked)
      this.#planTurn()
    })
    this.#work.add(tracked)
  }
}

/** All profiles share one queue and so one order. */
function comparisonOf([first]: readonly Profile[]): (a: WaitingInQueue, b: WaitingInQueue) => number {
  return first?.points.queueSort[0]?.plugin.queueSort ?? (() => 0)
}

/** The plugins of the profile that said no. */
function namedPlugins(
  { points, preparing }: Profile,
  names: ReadonlySet<string | undefined>,
): readonly SchedulerPlugin[] {
  const all = [...preparing, ...points.filter, ...points.reserve, ...points.permit].map(({ plugin }) => plugin)
  return [...new Set(all)].filter(({ name }) => names.has(name))
}
