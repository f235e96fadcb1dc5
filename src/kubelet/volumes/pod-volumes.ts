import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod, Volume } from '#api/types/core.v1.ts'
import { messageOf } from '#lib/file-error.ts'
import { NamedVolumeError, VolumePending, VolumeProcessError, VolumeStepError } from './volume-errors.ts'
import type { VolumeContext, VolumeOnHost } from './volume-plugin.ts'
import { pluginOf } from './volume-plugins.ts'

/** Some volumes of a pod are not ready. Each message is what the `FailedMount` event says. */
export class VolumeError extends Error {
  readonly failures: ReadonlyMap<string, string>
  /** Names of those that nothing is wrong with but that take their time. */
  readonly pending: readonly string[]

  constructor(failures: ReadonlyMap<string, string>, pending: readonly string[] = []) {
    super([...failures.values(), ...pending.map((name) => `volume ${name} is not ready yet`)].join('; '))
    this.name = 'VolumeError'
    this.failures = failures
    this.pending = pending
  }
}

export interface PodVolumesOptions {
  /** The pod's folder on disk and in memory. */
  readonly directory: string
  readonly memoryDirectory: string
  /** What the plugins need beside the volume itself, as of now. */
  readonly context: VolumeContext
}

export type VolumesOnHost = ReadonlyMap<string, VolumeOnHost>

/** The volumes of one pod. Calls must not overlap. */
export class PodVolumes {
  readonly #options: PodVolumesOptions
  readonly #ready = new Map<string, VolumeOnHost>()

  constructor(options: PodVolumesOptions) {
    this.#options = options
  }

  /** Makes all volumes ready that are not, at once. Throws `VolumeError` when some could not be. */
  async setUp(pod: Pod): Promise<VolumesOnHost> {
    const volumes = (pod.spec.volumes ?? []).filter(({ name }) => !this.#ready.has(name))
    await this.#setUpAll(pod, volumes)
    return this.#ready
  }

  /** Brings volumes up to date that are live, or due. Throws `VolumeError`; what was shown stays. */
  async refresh(pod: Pod): Promise<void> {
    const live = (pod.spec.volumes ?? []).filter((volume) => {
      const ready = this.#ready.get(volume.name)
      return ready !== undefined && (pluginOf(volume).isLive || ready.refreshAtMs !== undefined)
    })
    await this.#setUpAll(pod, live)
  }

  /** When `refresh` is due although no source has changed. */
  get refreshAtMs(): number | undefined {
    const earliest = Math.min(...[...this.#ready.values()].map((volume) => volume.refreshAtMs ?? Infinity))
    return Number.isFinite(earliest) ? earliest : undefined
  }

  async #setUpAll(pod: Pod, volumes: readonly Volume[]): Promise<void> {
    const failures = new Map<string, string>()
    const pending: string[] = []
    const { signal } = this.#options.context()
    const setUpOne = async (volume: Volume): Promise<void> => {
      try {
        this.#ready.set(volume.name, await this.#setUpVolume(pod, volume))
      } catch (error) {
        if (error instanceof VolumePending || signal.aborted) pending.push(volume.name)
        else failures.set(volume.name, mountFailure(volume.name, error))
      }
    }
    await Promise.all(volumes.map(setUpOne))
    if (failures.size + pending.length > 0) throw new VolumeError(failures, pending)
  }

  async #setUpVolume(pod: Pod, volume: Volume): Promise<VolumeOnHost> {
    const plugin = pluginOf(volume)
    const folder = join(this.#options.directory, 'volumes', `kubernetes.io~${folderNames[plugin.type] ?? plugin.type}`)
    await mkdir(folder, { recursive: true, mode: 0o750 })
    const { timed, ...context } = this.#options.context()
    return timed(plugin.type, () =>
      plugin.setUp({
        ...context,
        pod,
        volume,
        directory: join(folder, volume.name),
        memoryDirectory: join(this.#options.memoryDirectory, volume.name),
      }),
    )
  }
}

/** What the `FailedMount` event says. */
export function mountFailure(name: string, error: unknown): string {
  if (error instanceof NamedVolumeError) return mountFailure(error.volume, error.failure)
  const text = messageOf(error)
  if (error instanceof VolumeStepError) return `${error.step} failed for volume "${name}" : ${text}`
  if (!(error instanceof VolumeProcessError)) return `MountVolume.SetUp failed for volume "${name}" : ${text}`
  const lists = `unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]`
  return `Unable to attach or mount volumes: ${lists}: ${text}`
}

const folderNames: Partial<Record<keyof Volume, string>> = {
  emptyDir: 'empty-dir',
  configMap: 'configmap',
  downwardAPI: 'downward-api',
  hostPath: 'host-path',
}
