import { keyOf } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { backoffMs } from '#lib/backoff.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { Heap } from '#lib/heap.ts'
import type { ClusterChange, SchedulerPlugin, WaitingInQueue } from './framework.ts'
import { PodInfo } from './pod-info.ts'

/** A pod on its way to a node. */
export interface QueuedPod {
  pod: Pod
  /** What is derived from the pod, made when it is first tried. */
  info?: PodInfo | undefined
  /** When it first entered the queue: older pods of one priority go first. */
  readonly enteredMs: number
  /** Tells apart those that entered in the same millisecond. */
  readonly sequence: number
  attempts: number
  /** The plugins whose rejection stands in the way. */
  rejectedBy: readonly SchedulerPlugin[]
  place: 'active' | 'backoff' | 'unschedulable' | 'taken' | 'gone'
  backoffUntilMs: number
  rejectedMs: number
}

export interface QueueOptions {
  readonly clock: Clock
  /** Which of two pods that are ready is tried first: negative for the first one. */
  readonly compare: (a: WaitingInQueue, b: WaitingInQueue) => number
  /** Called when a pod has become ready to be taken. */
  readonly onReady: () => void
  /** A rejected pod waits for this long at least, doubled each time up to the most; default 1 s and 10 s. */
  readonly initialBackoffMs?: number
  readonly maxBackoffMs?: number
}

/** Pods that nothing seems to help are tried again after this long all the same. */
const unschedulableLimitMs = 5 * 60_000

/**
 * Pods waiting for a node, in three places: `active` (ready to be tried, in the order of a plugin),
 * `backoff` (rejected lately), `unschedulable` (waits for a change of the cluster that may help).
 *
 *   add → active → take → rejected → unschedulable ─ a change that helps ─→ backoff ─ time ─→ active
 */
export class SchedulingQueue {
  readonly #clock: Clock
  readonly #limits: { readonly initialMs: number; readonly maxMs: number }
  readonly #active: Heap<QueuedPod>
  readonly #backoff = new Heap<QueuedPod>((a, b) => a.backoffUntilMs < b.backoffUntilMs)
  readonly #pods = new Map<string, QueuedPod>()
  /** Those that wait for a change, the longest first. */
  readonly #unschedulable = new Set<QueuedPod>()
  readonly #onReady: () => void
  #sequence = 0
  #timer: Timer | undefined
  #flushTimer: Timer | undefined

  constructor({ clock, compare, onReady, initialBackoffMs = 1_000, maxBackoffMs = 10_000 }: QueueOptions) {
    this.#clock = clock
    this.#onReady = onReady
    this.#limits = { initialMs: initialBackoffMs, maxMs: maxBackoffMs }
    this.#active = new Heap((a, b) => compare(a, b) < 0)
  }

  /** Enters a pod, or takes note of its new state; a change of an unschedulable pod's spec gives it a try. */
  set(pod: Pod): void {
    const known = this.#pods.get(keyOf(pod))
    if (known && known.pod.metadata.uid === pod.metadata.uid) {
      const changed = decidingFacts(known.pod) !== decidingFacts(pod)
      known.pod = pod
      known.info = undefined
      if (changed && known.place === 'unschedulable') this.#activate(known)
      return
    }
    if (known) this.#drop(known)
    const enteredMs = this.#clock.now()
    const never = { backoffUntilMs: 0, rejectedMs: 0 }
    const queued: QueuedPod = {
      pod,
      enteredMs,
      sequence: this.#sequence++,
      attempts: 0,
      rejectedBy: [],
      place: 'gone',
      ...never,
    }
    this.#pods.set(keyOf(pod), queued)
    this.#activate(queued)
  }

  remove(pod: Pod): void {
    const known = this.#pods.get(keyOf(pod))
    // Another pod may have taken its name since.
    if (known?.pod.metadata.uid !== pod.metadata.uid) return
    this.#drop(known)
    this.#pods.delete(keyOf(pod))
  }

  /** The next pod to try, or nothing. */
  take(): QueuedPod | undefined {
    for (let next = this.#active.pop(); next; next = this.#active.pop()) {
      if (next.place !== 'active') continue
      next.place = 'taken'
      next.attempts++
      next.info ??= new PodInfo(next.pod)
      return next
    }
    return undefined
  }

  /** Puts a taken pod back to wait for a change that helps one of the plugins. */
  reject(queued: QueuedPod, rejectedBy: readonly SchedulerPlugin[]): void {
    if (queued.place !== 'taken') return
    queued.rejectedBy = rejectedBy
    queued.place = 'unschedulable'
    queued.rejectedMs = this.#clock.now()
    this.#unschedulable.add(queued)
    queued.backoffUntilMs = this.#clock.now() + backoffMs(this.#limits, queued.attempts)
    this.#flushTimer ??= this.#clock.schedule(unschedulableLimitMs, () => this.#flush())
  }

  /** Puts a taken pod back that failed for no fault of its own: tried again after its backoff. */
  retry(queued: QueuedPod): void {
    if (queued.place !== 'taken') return
    queued.backoffUntilMs = this.#clock.now() + backoffMs(this.#limits, queued.attempts)
    this.#waitOut(queued)
  }

  /** Moves the unschedulable pods that the change may help. */
  react(change: ClusterChange): void {
    for (const queued of this.#unschedulable) if (isHelped(queued, change)) this.#waitOut(queued)
  }

  close(): void {
    this.#timer?.cancel()
    this.#flushTimer?.cancel()
    this.#pods.clear()
    this.#unschedulable.clear()
  }

  #drop(queued: QueuedPod): void {
    // Heaps drop entries that are gone when they come up.
    queued.place = 'gone'
    this.#unschedulable.delete(queued)
  }

  #activate(queued: QueuedPod): void {
    this.#unschedulable.delete(queued)
    queued.place = 'active'
    this.#active.push(queued)
    this.#onReady()
  }

  #waitOut(queued: QueuedPod): void {
    if (queued.backoffUntilMs <= this.#clock.now()) return this.#activate(queued)
    this.#unschedulable.delete(queued)
    queued.place = 'backoff'
    this.#backoff.push(queued)
    this.#armTimer()
  }

  #armTimer(): void {
    this.#timer?.cancel()
    const next = this.#backoff.peek()
    this.#timer = next && this.#clock.schedule(next.backoffUntilMs - this.#clock.now(), () => this.#endBackoffs())
  }

  #endBackoffs(): void {
    for (let next = this.#backoff.peek(); next; next = this.#backoff.peek()) {
      if (next.place === 'backoff' && next.backoffUntilMs > this.#clock.now()) break
      this.#backoff.pop()
      if (next.place === 'backoff') this.#activate(next)
    }
    this.#armTimer()
  }

  #flush(): void {
    this.#flushTimer = undefined
    const dueMs = this.#clock.now() - unschedulableLimitMs
    for (const queued of this.#unschedulable) {
      if (queued.rejectedMs > dueMs) {
        this.#flushTimer = this.#clock.schedule(queued.rejectedMs - dueMs, () => this.#flush())
        return
      }
      this.#activate(queued)
    }
  }
}

/** What of a pod itself, when changed, is worth another try. */
function decidingFacts({ metadata: { generation, labels }, status }: Pod): string {
  return JSON.stringify([generation, labels, status?.resourceClaimStatuses])
}

/** A pod that no plugin has rejected found no node at all. */
function isHelped(queued: QueuedPod, change: ClusterChange): boolean {
  if (queued.rejectedBy.length === 0) return change.type === 'nodeAdded'
  const known = (queued.info ??= new PodInfo(queued.pod))
  return queued.rejectedBy.some((plugin) => plugin.helpedBy?.(change, known) ?? true)
}
