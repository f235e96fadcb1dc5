import { isStatusError } from '#api/meta/status.ts'
import { pods } from '#api/types/resources.ts'
import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { statusPatch } from './status-patch.ts'

export interface StatusWriterOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
}

const firstRetryMs = 200
const longestRetryMs = 10_000

/**
 * Writes the status of one pod to the API: one request at a time, always the newest status, only what differs from
 * what the server has. Older statuses that wait are skipped, so the written status never goes back.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #stop = new AbortController()
  /** The pod as the server has it, as far as is known; none while there is nothing to write to. */
  #server: Pod | undefined
  #last: PodStatus | undefined
  #wanted: PodStatus | undefined
  #running: Promise<void> | undefined

  constructor(options: StatusWriterOptions, pod: Pod | undefined) {
    this.#options = options
    this.#server = pod
  }

  /** The informer has brought a pod; one that is older than what our own last write answered changes nothing. */
  observe(pod: Pod): void {
    if (this.#server === undefined || isNewer(pod, this.#server)) this.#server = pod
  }

  /** Statuses go to another object from now on, and none is written while there is none: a static pod's mirror. */
  retarget(pod: Pod | undefined): void {
    const isSame = pod?.metadata.uid === this.#server?.metadata.uid
    if (pod && isSame) return this.observe(pod)
    this.#server = pod
    if (pod && this.#last) this.write(this.#last)
  }

  /** The pod with the status as the server has it. */
  get server(): Pod | undefined {
    return this.#server
  }

  write(status: PodStatus): void {
    this.#wanted = status
    this.#last = status
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when the server has the status that was written last, or the pod is gone. */
  async flushed(): Promise<void> {
    while (this.#running) await this.#running
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    let retryMs = firstRetryMs
    while (this.#wanted && this.#server && !this.#stop.signal.aborted) {
      const wanted = this.#wanted
      this.#wanted = undefined
      try {
        await this.#patch(this.#server, wanted)
        retryMs = firstRetryMs
      } catch (error) {
        // Gone, or a successor has the name: nobody waits for this status any more.
        if (isStatusError(error, 'NotFound', 'Conflict')) return
        this.#options.log.warn('pod status not written', { pod: this.#server?.metadata.name, error })
        this.#wanted ??= wanted
        await this.#options.clock.sleep(retryMs, this.#stop.signal).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    }
  }

  async #patch(server: Pod, wanted: PodStatus): Promise<void> {
    const { name, namespace = '', uid } = server.metadata
    const patch = statusPatch(uid, server.status ?? {}, wanted)
    if (patch === undefined) return
    const { client } = this.#options
    const { signal } = this.#stop
    const answer = await client
      .resource(pods, namespace)
      .patch(name, { type: 'strategic', patch }, { subresource: 'status', signal })
    this.observe(answer)
  }
}

/** Resource versions are whole numbers that grow (KEP-5504); longer ones are larger. */
function isNewer(a: Pod, b: Pod): boolean {
  const [left, right] = [a.metadata.resourceVersion, b.metadata.resourceVersion]
  return left.length === right.length ? left > right : left.length > right.length
}
