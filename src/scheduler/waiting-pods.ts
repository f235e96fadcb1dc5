import type { Clock, Timer } from '#lib/clock.ts'
import type { PermitQueue, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'

interface Waiting {
  readonly pod: PodInfo
  readonly node: NodeInfo
  /** Plugins that have not allowed the pod yet, with the timers that give up for them. */
  readonly pending: Map<string, Timer>
  readonly ended: PromiseWithResolvers<Rejection | undefined>
}

/** A plugin may not hold a pod for longer than this. */
const longestWaitMs = 15 * 60_000

/** Pods with a node that plugins have told to wait before they are bound. */
export class WaitingPods implements PermitQueue {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when all plugins have allowed the pod, or with the rejection of one. `waits` is in milliseconds by plugin. */
  hold(pod: PodInfo, node: NodeInfo, waits: ReadonlyMap<string, number>): Promise<Rejection | undefined> {
    const pending = new Map<string, Timer>()
    const waiting: Waiting = { pod, node, pending, ended: Promise.withResolvers() }
    this.#waiting.set(pod.uid, waiting)
    for (const [plugin, waitMs] of waits) {
      const lateMs = Math.min(waitMs, longestWaitMs)
      const reason = `rejected due to timeout after waiting ${lateMs / 1_000}s at plugin ${plugin}`
      pending.set(
        plugin,
        this.#clock.schedule(lateMs, () => this.reject(pod.uid, { plugin, reason })),
      )
    }
    return waiting.ended.promise
  }

  pods() {
    return [...this.#waiting.values()].map(({ pod, node, pending }) => ({ pod, node, plugins: [...pending.keys()] }))
  }

  allow(uid: string, plugin: string): void {
    const waiting = this.#waiting.get(uid)
    waiting?.pending.get(plugin)?.cancel()
    if (waiting?.pending.delete(plugin) && waiting.pending.size === 0) this.#end(uid, undefined)
  }

  reject(uid: string, rejection: Rejection): boolean {
    return this.#end(uid, rejection)
  }

  #end(uid: string, rejection: Rejection | undefined): boolean {
    const waiting = this.#waiting.get(uid)
    if (!waiting) return false
    this.#waiting.delete(uid)
    for (const timer of waiting.pending.values()) timer.cancel()
    waiting.ended.resolve(rejection)
    return true
  }
}
