import { isPodBound } from '#api/core/v1/pod-facts.ts'
import { splitKey } from '#api/meta/resource.ts'
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
import { decide, type Placement, type Refusal } from './cycle.ts'
import { Explanations, heldExplanation, type Explanation } from './explanations.ts'
import { PodInfo } from './pod-info.ts'
import { preempt } from './preemption/preempt.ts'
import { defineProfile, type Profile } from './profile.ts'
import { reportUnscheduled } from './report-unscheduled.ts'
import { SchedulingQueue, type QueuedPod } from './scheduling-queue.ts'

export interface SchedulerOptions {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Pods are placed by the profile that they name; others are left alone. Default: only `default-scheduler`. */
  readonly profiles?: readonly Profile[]
}

export interface Scheduler {
  /** The last decision about the pod `namespace/name`, while it is among the last 1,000. */
  explain(podKey: string): Explanation | undefined
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
  readonly #explanations = new Explanations()
  readonly #unfollow: () => void
  readonly #work = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #turnPlanned = false
  #startAt = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#profiles = new Map((options.profiles ?? [defineProfile()]).map((profile) => [profile.schedulerName, profile]))
    this.#objects = clusterObjects(options.informers)
    this.#cache = new ClusterCache(this.#objects)
    this.#queue = new SchedulingQueue(options.clock, () => this.#planTurn())
    this.#unfollow = followCluster({
      informers: options.informers,
      objects: this.#objects,
      cache: this.#cache,
      queue: this.#queue,
      profileOf: (pod) => this.#profileOf(pod),
    })
    options.informers.synced(this.#stopping.signal).then(
      () => this.#planTurn(),
      () => undefined,
    )
  }

  explain(podKey: string): Explanation | undefined {
    return this.#explanations.of(podKey) ?? this.#explainHeld(podKey)
  }

  /** A pod that may not enter the queue has never been decided about. */
  #explainHeld(podKey: string): Explanation | undefined {
    const { namespace, name } = splitKey(podKey)
    const pod = this.#options.informers.of(pods).get(name, namespace)
    if (!pod || isPodBound(pod)) return undefined
    for (const plugin of this.#profileOf(pod)?.plugins ?? []) {
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
    await Promise.allSettled(this.#work)
  }

  #profileOf({ spec }: Pod): Profile | undefined {
    return this.#profiles.get(spec.schedulerName ?? 'default-scheduler')
  }

  /** Only what the scheduler itself looks at: another informer that cannot list must not hold up all pods. */
  #hasSynced(): boolean {
    const { informers } = this.#options
    const own = [informers.of(nodes), informers.of(pods), ...Object.values(this.#objects)]
    return own.every(({ hasSynced }) => hasSynced)
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
      if (this.#work.size >= maxBindingsInFlight) return
      const queued = this.#queue.take()
      if (!queued) return
      this.#schedule(queued)
    }
    this.#planTurn()
  }

  #schedule(queued: QueuedPod): void {
    const { random, clock } = this.#options
    const profile = this.#profileOf(queued.pod)
    if (!profile) return this.#queue.remove(queued.pod)
    const info = (queued.info ??= new PodInfo(queued.pod))
    const { plugins, percentageOfNodesToScore } = profile
    const options = { plugins, random, startAt: this.#startAt, percentageOfNodesToScore }
    const decision = decide(info, this.#cache, options)
    if (decision.type === 'reject') return this.#reject(queued, info, decision, profile)
    this.#explanations.record(info, decision, clock.now())
    this.#startAt = (this.#startAt + decision.evaluated) % this.#cache.nodes.length
    this.#cache.placePod(info, decision.node.name)
    this.#track(this.#bind(queued, info, decision, profile))
  }

  #reject(queued: QueuedPod, info: PodInfo, refusal: Refusal, profile: Profile): void {
    const names = new Set(
      [refusal.veto, ...refusal.rejected.map(({ rejection }) => rejection)].map((each) => each?.plugin),
    )
    const rejectedBy = profile.plugins.filter(({ name }) => names.has(name))
    const outcome = profile.preempts
      ? preempt(info, refusal, { ...this.#options, cache: this.#cache, profile })
      : { message: refusal.message }
    this.#explanations.record(info, refusal, this.#options.clock.now(), outcome.message)
    this.#queue.reject(queued, rejectedBy)
    const report = { ...this.#options, events: this.#options.events.from(profile.schedulerName) }
    const reported = reportUnscheduled(queued.pod, outcome.message, report, outcome.nominatedNodeName)
    this.#track(Promise.all([reported, outcome.work]).then(() => undefined))
  }

  async #bind(queued: QueuedPod, info: PodInfo, { node }: Placement, profile: Profile): Promise<void> {
    const { client, clock, events, log } = this.#options
    const { signal } = this.#stopping
    const context = { client, clock, log, signal, claims: this.#objects.claims, objects: this.#objects }
    const recorder = events.from(profile.schedulerName)
    const result = await bind(queued.pod, node.node, profile, { ...context, events: recorder })
    if (result === 'bound') {
      this.#cache.withdrawNomination(queued.pod.metadata.uid)
      return this.#queue.remove(queued.pod)
    }
    this.#cache.removeAssumed(info)
    if (result === 'gone') this.#queue.remove(queued.pod)
    else this.#queue.retry(queued)
    // Others may have been refused what this pod only seemed to take.
    this.#queue.react({ type: 'podFreed', pod: info })
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#work.delete(tracked)
      this.#planTurn()
    })
    this.#work.add(tracked)
  }
}
