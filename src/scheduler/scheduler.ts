import { isPodBound, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informers } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { ClusterCache } from './cluster-cache.ts'
import { decide, type Decision } from './cycle.ts'
import type { SchedulerPlugin } from './framework.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { SchedulingQueue, type QueuedPod } from './scheduling-queue.ts'
import { reportUnscheduled } from './report-unscheduled.ts'

export interface SchedulerOptions {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Only pods that ask for this scheduler are placed; default `default-scheduler`. */
  readonly schedulerName?: string
  readonly plugins?: readonly SchedulerPlugin[]
}

export interface Scheduler {
  /** Stops taking pods; bindings under way finish. */
  stop(): Promise<void>
}

/** Pods tried in one turn of the event loop before others get theirs. */
const podsPerTurn = 20
const maxBindingsInFlight = 200

/** Places pods on nodes as they appear, until stopped. */
export function startScheduler(options: SchedulerOptions): Scheduler {
  return new SchedulerLoop(options)
}

class SchedulerLoop implements Scheduler {
  readonly #options: SchedulerOptions
  readonly #plugins: readonly SchedulerPlugin[]
  readonly #cache = new ClusterCache()
  readonly #queue: SchedulingQueue
  readonly #removers: (() => void)[] = []
  readonly #bindings = new Set<Promise<void>>()
  #turnPlanned = false
  #stopped = false
  #startAt = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#plugins = options.plugins ?? defaultPlugins
    this.#queue = new SchedulingQueue(options.clock, () => this.#planTurn())
    this.#removers.push(
      options.informers.of(nodes).listen({
        added: (node) => this.#nodeAdded(node),
        updated: (node, previous) => this.#nodeUpdated(node, previous),
        deleted: (node) => this.#cache.removeNode(node.metadata.name),
      }),
      options.informers.of(pods).listen({
        added: (pod) => this.#podChanged(pod),
        updated: (pod) => this.#podChanged(pod),
        deleted: (pod) => this.#podDeleted(pod),
      }),
    )
    void options.informers.synced().then(() => this.#planTurn())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const remove of this.#removers) remove()
    this.#queue.close()
    await Promise.allSettled(this.#bindings)
  }

  #nodeAdded(node: Node): void {
    this.#cache.setNode(node)
    this.#queue.react({ type: 'nodeAdded', node })
  }

  #nodeUpdated(node: Node, previous: Node): void {
    this.#cache.setNode(node)
    this.#queue.react({ type: 'nodeUpdated', node, previous })
  }

  #podChanged(pod: Pod): void {
    if (isPodBound(pod)) return this.#boundPodChanged(pod)
    const mine =
      (pod.spec.schedulerName ?? 'default-scheduler') === (this.#options.schedulerName ?? 'default-scheduler')
    const held = this.#plugins.some((plugin) => plugin.preEnqueue?.(pod))
    if (!mine || held || isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) {
      return this.#queue.remove(pod)
    }
    // An assumed pod whose binding the watch has not shown yet is already on its way.
    if (!this.#cache.isPlaced(pod.metadata.uid)) this.#queue.set(pod)
  }

  #boundPodChanged(pod: Pod): void {
    this.#queue.remove(pod)
    const wasPlaced = this.#cache.isPlaced(pod.metadata.uid)
    this.#cache.placePod(pod, pod.spec.nodeName as string)
    if (wasPlaced && isPodTerminal(pod)) this.#queue.react({ type: 'podFreed', pod })
    else if (!wasPlaced) this.#queue.react({ type: 'podBound', pod })
  }

  #podDeleted(pod: Pod): void {
    this.#queue.remove(pod)
    this.#cache.removePod(pod.metadata.uid)
    if (isPodBound(pod)) this.#queue.react({ type: 'podFreed', pod })
  }

  #planTurn(): void {
    if (this.#turnPlanned || this.#stopped) return
    this.#turnPlanned = true
    setImmediate(() => {
      this.#turnPlanned = false
      this.#turn()
    })
  }

  #turn(): void {
    const { informers } = this.#options
    if (this.#stopped || !informers.of(nodes).hasSynced || !informers.of(pods).hasSynced) return
    for (let tried = 0; tried < podsPerTurn; tried++) {
      // Each finished binding plans the next turn.
      if (this.#bindings.size >= maxBindingsInFlight) return
      const queued = this.#queue.take()
      if (!queued) return
      this.#schedule(queued)
    }
    this.#planTurn()
  }

  #schedule(queued: QueuedPod): void {
    const { random } = this.#options
    const decision = decide(queued.pod, this.#cache, { plugins: this.#plugins, random, startAt: this.#startAt })
    if (decision.type === 'reject') return this.#reject(queued, decision)
    this.#startAt = (this.#startAt + decision.evaluated) % Math.max(this.#cache.nodes.length, 1)
    const nodeName = decision.node.node.metadata.name
    this.#cache.placePod(queued.pod, nodeName)
    const binding = this.#bind(queued, nodeName).finally(() => {
      this.#bindings.delete(binding)
      this.#planTurn()
    })
    this.#bindings.add(binding)
  }

  #reject(queued: QueuedPod, decision: Decision & { type: 'reject' }): void {
    const names = new Set([...decision.rejections.values()].map(({ plugin }) => plugin))
    this.#queue.reject(
      queued,
      this.#plugins.filter(({ name }) => names.has(name)),
    )
    reportUnscheduled(queued.pod, decision.message, this.#options)
  }

  async #bind(queued: QueuedPod, nodeName: string): Promise<void> {
    const { client, events, log } = this.#options
    const { pod } = queued
    const { name, namespace = '', uid } = pod.metadata
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName }
    try {
      await client.resource(pods, namespace).createSubresource(name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target,
      })
      this.#queue.remove(pod)
      events.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`)
    } catch (error) {
      // A conflict or a missing pod means that the pod changed meanwhile: the watch tells what became of it.
      if (!isStatusError(error, 'NotFound', 'Conflict'))
        log.warn('A pod could not be bound', { pod: `${namespace}/${name}`, error })
      this.#cache.removePod(uid)
      if (isStatusError(error, 'NotFound')) this.#queue.remove(pod)
      else this.#queue.retry(queued)
    }
  }
}
