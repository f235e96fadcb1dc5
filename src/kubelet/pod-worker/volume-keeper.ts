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
  readonly context: Pick<WorkerContext, 'clock' | 'events' | 'log'>
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
  #renewal: Promise<void> | undefined

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
    await this.#renewal
    return this.#setUp(pod)
  }

  /**
   * Begins to bring the volumes of a running pod up to date, unless that is under way: a driver that hangs must not keep
   * the pod's containers from being looked after. After a restart of the kubelet they are first to be known again.
   */
  keepCurrent(pod: Pod): void {
    if (this.#renewal !== undefined) return
    if (this.#ready !== undefined && !this.#isOutdated && !this.#isDue) return this.#wakeForRenewal()
    this.#renewal = this.#renew(pod)
      .catch((error: unknown) => {
        this.#isOutdated = true
        this.#options.wake.in(this.#retryMs)
        this.#options.context.log.warn('volumes not kept current', { pod: pod.metadata.name, error })
      })
      .finally(() => {
        this.#renewal = undefined
      })
  }

  /** Resolves when nobody is at work on the volumes. */
  async settled(): Promise<void> {
    await this.#renewal
  }

  get #isDue(): boolean {
    const { volumes, context } = this.#options
    return volumes.refreshAtMs !== undefined && volumes.refreshAtMs <= context.clock.now()
  }

  async #setUp(pod: Pod): Promise<VolumesOnHost | undefined> {
    try {
      const ready = await this.#options.volumes.setUp(pod)
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

  async #renew(pod: Pod): Promise<void> {
    if (this.#ready === undefined) await this.#setUp(pod)
    if (this.#isOutdated || this.#isDue) {
      this.#isOutdated = false
      try {
        await this.#options.volumes.refresh(pod)
        this.#retryMs = firstRetryMs
      } catch (error) {
        this.#isOutdated = true
        return this.#failed(pod, error)
      }
    }
    // What has changed meanwhile is not shown yet.
    if (this.#isOutdated) this.#options.wake.in(0)
    this.#wakeForRenewal()
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
