import type { Pod } from '#api/types/core.v1.ts'
import { VolumeError, type VolumesOnHost } from '../volumes/pod-volumes.ts'
import type { HostedVolumes } from './pod-host.ts'
import type { WakeTimer } from './wake-timer.ts'
import type { WorkerContext } from './worker-context.ts'

const firstRetryMs = 1_000
const longestRetryMs = 60_000
/** As long as upstream waits for the volumes of a pod before it says so. */
const longestWaitMs = 123_000

export interface VolumeKeeperOptions {
  readonly context: Pick<WorkerContext, 'clock' | 'events' | 'metrics'>
  readonly volumes: HostedVolumes
  /** Asked to come back when a volume is to be tried or renewed. */
  readonly wake: WakeTimer
}

/** Makes a worker's volumes ready and keeps them current, with events and retries. */
export class VolumeKeeper {
  readonly #options: VolumeKeeperOptions
  #ready: VolumesOnHost | undefined
  #isOutdated = false
  #retryMs = firstRetryMs
  #waitingSinceMs: number | undefined

  constructor(options: VolumeKeeperOptions) {
    this.#options = options
  }

  get isOutdated(): boolean {
    return this.#isOutdated
  }

  /** The volumes as they are known; none before they are first set up. */
  get ready(): VolumesOnHost {
    return this.#ready ?? new Map()
  }

  /** Some volume is not ready yet. */
  get isWaiting(): boolean {
    return this.#waitingSinceMs !== undefined
  }

  /** Something that volumes show has changed. */
  outdate(): void {
    this.#isOutdated = true
  }

  /** `undefined` when some volume is not ready; it is tried again later, or when its source comes. */
  async setUp(pod: Pod): Promise<VolumesOnHost | undefined> {
    try {
      const ready = await this.#measured(() => this.#options.volumes.setUp(pod))
      this.#ready = ready
      this.#waitingSinceMs = undefined
      this.#retryMs = firstRetryMs
      this.#wakeForRenewal()
      return ready
    } catch (error) {
      this.#failed(pod, error)
      return undefined
    }
  }

  /** Brings the volumes of a running pod up to date. After a restart of the kubelet they are first to be known again. */
  async keepCurrent(pod: Pod): Promise<void> {
    const { volumes, context } = this.#options
    if (this.#ready === undefined) await this.setUp(pod)
    const dueMs = volumes.refreshAtMs
    if (this.#isOutdated || (dueMs !== undefined && dueMs <= context.clock.now())) {
      this.#isOutdated = false
      try {
        await volumes.refresh(pod)
        this.#retryMs = firstRetryMs
      } catch (error) {
        this.#isOutdated = true
        this.#failed(pod, error)
        return
      }
    }
    this.#wakeForRenewal()
  }

  /** All volumes of a pod are one operation here: they are set up together. */
  async #measured(setUp: () => Promise<VolumesOnHost>): Promise<VolumesOnHost> {
    const { clock, metrics } = this.#options.context
    const startedMs = clock.monotonic()
    const tell = (status: string): void => {
      const labels = { operation_name: 'volume_mount', volume_plugin: '', status, migrated: 'false' }
      metrics.storageSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
    }
    try {
      const ready = await setUp()
      if (ready.size > 0) tell('success')
      return ready
    } catch (error) {
      tell('fail-unknown')
      throw error
    }
  }

  #wakeForRenewal(): void {
    const { volumes, wake } = this.#options
    if (volumes.refreshAtMs !== undefined) wake.at(volumes.refreshAtMs)
  }

  #failed(pod: Pod, error: unknown): void {
    if (!(error instanceof VolumeError)) throw error
    const { context, wake } = this.#options
    this.#waitingSinceMs ??= context.clock.now()
    for (const message of error.failures.values()) context.events.record(pod, 'Warning', 'FailedMount', message)
    if (error.pending.length > 0) this.#tellOfWaiting(pod, error.pending)
    wake.in(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }

  /** Waiting is no failure, until it has lasted for longer than anything takes. */
  #tellOfWaiting(pod: Pod, names: readonly string[]): void {
    const { clock, events } = this.#options.context
    const nowMs = clock.now()
    if (nowMs - (this.#waitingSinceMs ?? nowMs) < longestWaitMs) return
    this.#waitingSinceMs = nowMs
    const list = names.join(' ')
    const lists = `unmounted volumes=[${list}], unattached volumes=[${list}], failed to process volumes=[]`
    const message = `Unable to attach or mount volumes: ${lists}: timed out waiting for the condition`
    events.record(pod, 'Warning', 'FailedMount', message)
  }
}
