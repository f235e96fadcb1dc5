import type { Clock } from '#lib/clock.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { VolumeOnHost } from '../volumes/volume-plugin.ts'
import { measureVolumes, type VolumeStats } from './volume-stats.ts'

interface Measured {
  readonly stats: Promise<readonly VolumeStats[]>
  readonly atMs: number
}

const mostPods = 2_000

/** Measures volumes of pods, no more often than the configuration wants it. */
export class VolumeMeter {
  readonly #clock: Clock
  readonly #maximumAgeMs: number
  readonly #known = new LruMap<string, Measured>(mostPods)

  /** `maximumAgeMs`: 0 measures for each who asks, a negative one for nobody. */
  constructor(clock: Clock, maximumAgeMs: number) {
    this.#clock = clock
    this.#maximumAgeMs = maximumAgeMs
  }

  async measure(
    podUid: string,
    volumes: ReadonlyMap<string, VolumeOnHost>,
    isWanted: (volume: VolumeOnHost) => boolean = () => true,
  ): Promise<readonly VolumeStats[]> {
    if (this.#maximumAgeMs < 0) return []
    if (this.#maximumAgeMs === 0) return measureVolumes(volumes, isWanted)
    const nowMs = this.#clock.monotonic()
    let known = this.#known.get(podUid)
    if (known === undefined || nowMs - known.atMs >= this.#maximumAgeMs) {
      known = { stats: measureVolumes(volumes), atMs: nowMs }
      this.#known.set(podUid, known)
    }
    const all = await known.stats
    return all.filter(({ name }) => {
      const volume = volumes.get(name)
      return volume !== undefined && isWanted(volume)
    })
  }
}
