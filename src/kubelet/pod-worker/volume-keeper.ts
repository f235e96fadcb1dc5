import type { Pod } from '#api/types/core.v1.ts'
import { VolumeError, type VolumesOnHost } from '../volumes/pod-volumes.ts'
import type { HostedVolumes } from './pod-host.ts'
import type { WakeTimer } from './wake-timer.ts'
import type { WorkerContext } from './worker-context.ts'

const firstRetryMs = 1_000
const longestRetryMs = 60_000

export interface VolumeKeeperOptions {
  readonly context: Pick<WorkerContext, 'clock' | 'events'>
  readonly volumes: HostedVolumes
  /** Asked to come back when a volume is to be tried or renewed. */
  readonly wake: WakeTimer
}

/** Makes a worker's volumes ready and keeps them current, with events and retries. */
export class VolumeKeeper {
  readonly #options: VolumeKeeperOptions
  #isKnown = false
  #isOutdated = false
  #retryMs = firstRetryMs

  constructor(options: VolumeKeeperOptions) {
    this.#options = options
  }

  get isOutdated(): boolean {
    return this.#isOutdated
  }

  /** Something that volumes show has changed. */
  outdate(): void {
    this.#isOutdated = true
  }

  /** `undefined` when some volume is not ready; it is tried again later, or when its source comes. */
  async setUp(pod: Pod): Promise<VolumesOnHost | undefined> {
    try {
      const ready = await this.#options.volumes.setUp(pod)
      this.#isKnown = true
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
    if (!this.#isKnown) await this.setUp(pod)
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

  #wakeForRenewal(): void {
    const { volumes, wake } = this.#options
    if (volumes.refreshAtMs !== undefined) wake.at(volumes.refreshAtMs)
  }

  #failed(pod: Pod, error: unknown): void {
    if (!(error instanceof VolumeError)) throw error
    const { context, wake } = this.#options
    for (const message of error.failures.values()) context.events.record(pod, 'Warning', 'FailedMount', message)
    wake.in(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }
}
