import { isMirrorPod } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { Informer } from '#client/informer.ts'
import { removeOrphans } from './orphans.ts'
import type { PodView } from './pod-view.ts'
import { PodWorker } from './pod-worker.ts'
import type { WorkerContext } from './worker-context.ts'

/** How many events of unknown containers are remembered, until the worker that made them has looked. */
const maximumUnclaimed = 1_000
const firstReconnectMs = 100
const longestReconnectMs = 5_000

/** The workers of all pods of a node, fed by the API's pods and the runtime's events. */
export class PodWorkers {
  readonly #context: WorkerContext
  readonly #workers = new Map<string, PodWorker>()
  /** Which pod a container or sandbox belongs to. */
  readonly #ownerOf = new Map<string, string>()
  readonly #unclaimed = new Set<string>()
  readonly #stop = new AbortController()
  readonly #removals = new Set<Promise<void>>()
  readonly #listeners = new Set<(podUid: string) => void>()
  #unlisten: (() => void) | undefined
  #background: readonly Promise<void>[] = []

  constructor(context: WorkerContext) {
    this.#context = context
  }

  /** Takes up the pods that there are, clears away what belongs to none, and follows both sides from then on. */
  start(pods: Informer<Pod>): void {
    this.#background = [this.#followRuntime(), this.#compareNowAndThen()]
    this.#unlisten = pods.listen({
      added: (pod) => this.#put(pod),
      updated: (pod, previous) => {
        // A pod that was deleted and made again between two looks is another pod.
        if (pod.metadata.uid !== previous.metadata.uid) void this.#remove(previous)
        this.#put(pod)
      },
      deleted: (pod) => void this.#remove(pod),
    })
    this.#clearOrphans()
  }

  /** Orphans get their grace period too; nobody has to wait for them. */
  #clearOrphans(): void {
    removeOrphans(this.#context, (uid) => this.#workers.has(uid)).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#context.log.warn('orphaned pods not looked for', { error })
    })
  }

  /** Stops following; the pods go on running. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#unlisten?.()
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()))
    await Promise.all([...this.#removals, ...this.#background])
  }

  /** Calls the listener whenever a worker has looked at its pod, until the returned function is called. */
  onLook(listener: (podUid: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  find(namespace: string, name: string): PodWorker | undefined {
    return this.list().find(({ pod }) => pod.metadata.name === name && pod.metadata.namespace === namespace)
  }

  list(): readonly PodWorker[] {
    return [...this.#workers.values()]
  }

  /** Something has come that the volumes of pods may wait for, be it to start or to end. */
  retryVolumes(): void {
    for (const worker of this.list()) worker.retryVolumes()
  }

  /** Tries again to clear away what belongs to no pod; what it takes may have come only now. */
  retryOrphans(): void {
    this.#clearOrphans()
  }

  /** Pods that have ended for good leave nothing in the runtime but their object's status. */
  async removeRemains(): Promise<void> {
    for (const worker of this.list()) await worker.removeRemains()
  }

  /** Runs a pod that the API does not know: it goes on until `end`. */
  run(pod: Pod): void {
    this.#put(pod)
  }

  /** Resolves when nothing of the pod is left. */
  async end(pod: Pod): Promise<void> {
    await this.#remove(pod)
  }

  mirror(uid: string, mirror: Pod | undefined): void {
    this.#workers.get(uid)?.mirror(mirror)
  }

  #put(pod: Pod): void {
    // A mirror is only the picture of a pod that runs already.
    if (isMirrorPod(pod)) return
    const { uid } = pod.metadata
    const known = this.#workers.get(uid)
    if (known) return known.update(pod)
    const worker = new PodWorker(this.#context, pod, (view) => {
      for (const { id } of [...view.containers, ...view.sandboxes]) this.#claim(id, uid)
      for (const listener of this.#listeners) listener(uid)
    })
    this.#workers.set(uid, worker)
    worker.poke()
  }

  #remove(pod: Pod): Promise<void> | undefined {
    const { uid } = pod.metadata
    const worker = this.#workers.get(uid)
    if (worker === undefined) return undefined
    const removal = worker.remove().then(() => {
      this.#removals.delete(removal)
      this.#workers.delete(uid)
      for (const [id, owner] of this.#ownerOf) if (owner === uid) this.#ownerOf.delete(id)
    })
    this.#removals.add(removal)
    return removal
  }

  #claim(id: string, uid: string): void {
    if (this.#ownerOf.has(id)) return
    this.#ownerOf.set(id, uid)
    if (this.#unclaimed.delete(id)) this.#workers.get(uid)?.poke(id)
  }

  #dispatch(id: string): void {
    const uid = this.#ownerOf.get(id)
    if (uid !== undefined) return this.#workers.get(uid)?.poke(id)
    this.#unclaimed.add(id)
    const [oldest] = this.#unclaimed
    if (this.#unclaimed.size > maximumUnclaimed && oldest !== undefined) this.#unclaimed.delete(oldest)
  }

  /**
   * Looks over all of the runtime at long intervals: what an event stream has lost for whatever reason is then found,
   * at the price of two calls a minute.
   */
  async #compareNowAndThen(): Promise<void> {
    const { runtime, clock, log, metrics, settings } = this.#context
    const { signal } = this.#stop
    let lastMs: number | undefined
    while (!signal.aborted) {
      await clock.sleep(settings.compareEveryMs, signal).catch(() => undefined)
      if (signal.aborted) return
      const startedMs = clock.monotonic()
      if (lastMs !== undefined) metrics.relistIntervalSeconds.observe((startedMs - lastMs) / 1000)
      lastMs = startedMs
      try {
        const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()])
        const states = new Map<string, string>(containers.map(({ id, state }) => [id, state]))
        for (const { id, ready } of sandboxes) states.set(id, String(ready))
        metrics.relistSeconds.observe((clock.monotonic() - startedMs) / 1000)
        for (const worker of this.#workers.values()) if (isOutdated(worker.view, states)) worker.poke()
      } catch (error) {
        log.debug('runtime not compared', { error })
      }
    }
  }

  async #revive(): Promise<void> {
    const { reviveRuntime, log } = this.#context
    if (this.#stop.signal.aborted) return
    await reviveRuntime?.().catch((error: unknown) => log.error('runtime not started again', { error }))
  }

  /** Without events every change would be missed, so each reconnection looks at all pods. */
  async #followRuntime(): Promise<void> {
    const { runtime, clock, log } = this.#context
    const { signal } = this.#stop
    let delayMs = firstReconnectMs
    while (!signal.aborted) {
      try {
        for await (const { id } of runtime.events(signal)) {
          delayMs = firstReconnectMs
          if (id === undefined) for (const worker of this.#workers.values()) worker.poke()
          else this.#dispatch(id)
        }
      } catch (error) {
        log.warn('runtime events interrupted', { reason: error instanceof Error ? error.message : String(error) })
        await this.#revive()
      }
      await clock.sleep(delayMs, signal).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, longestReconnectMs)
    }
  }
}

/** Whether a container or sandbox of the view is gone or in another state. */
function isOutdated(view: PodView, states: ReadonlyMap<string, string>): boolean {
  return (
    view.containers.some(({ id, state }) => states.get(id) !== state) ||
    view.sandboxes.some(({ id, ready }) => states.get(id) !== String(ready))
  )
}
