import type { Log } from '#lib/log.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { isRunning } from '../pod-worker/pod-view.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'
import type { PodWorkers } from '../pod-worker/pod-workers.ts'
import { formatCpuList, type CpuSet } from './cpu-list.ts'

export interface CpuReconcilerOptions {
  readonly runtime: ContainerRuntime
  readonly log: Log
  readonly workers: () => Pick<PodWorkers, 'get' | 'list'>
  readonly cpusOf: (podUid: string, container: string) => CpuSet
}

/** Keeps containers that run on the processors that are theirs now. */
export class CpuReconciler {
  readonly #options: CpuReconcilerOptions
  /** By container id: the list that the runtime was told last. */
  readonly #told = new Map<string, string>()
  #turn: Promise<void> = Promise.resolve()

  constructor(options: CpuReconcilerOptions) {
    this.#options = options
  }

  /** Somebody's processors have changed: looks at all pods. */
  all(): void {
    this.#later(() => this.#options.workers().list())
  }

  /** The pod may run containers that nobody was told of. */
  one(podUid: string): void {
    const worker = this.#options.workers().get(podUid)
    if (
      worker?.view.containers.some((run) => isRunning(run) && this.#told.get(run.id) !== this.#wanted(podUid, run.name))
    )
      this.#later(() => [worker])
  }

  /** Resolves when everything that was asked for is done. */
  settled(): Promise<void> {
    return this.#turn
  }

  #later(whose: () => readonly PodWorker[]): void {
    this.#turn = this.#turn.then(async () => {
      for (const worker of whose()) await this.#tell(worker)
      this.#forget()
    })
  }

  async #tell({ pod, view }: PodWorker): Promise<void> {
    const { runtime, log } = this.#options
    for (const { id, name } of view.containers.filter(isRunning)) {
      const cpus = this.#wanted(pod.metadata.uid, name)
      if (this.#told.get(id) === cpus) continue
      this.#told.set(id, cpus)
      try {
        await runtime.updateContainerResources(id, { ...unchanged, cpusetCpus: cpus })
      } catch (error) {
        // The next look at the pod tries again, unless the container has ended meanwhile.
        this.#told.delete(id)
        log.debug('processors of a container not changed', { container: id, error })
      }
    }
  }

  #wanted(podUid: string, container: string): string {
    return formatCpuList(this.#options.cpusOf(podUid, container))
  }

  #forget(): void {
    const known = new Set(
      this.#options
        .workers()
        .list()
        .flatMap(({ view }) => view.containers.map(({ id }) => id)),
    )
    for (const id of this.#told.keys()) if (!known.has(id)) this.#told.delete(id)
  }
}

/** Settings that stay as they are. */
const unchanged = { cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, memoryLimitBytes: 0, oomScoreAdj: 0, hugepageLimits: [] }
