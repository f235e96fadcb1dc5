import type { Pod } from '#api/types/core.v1.ts'
import { allContainers, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { ImageInfo } from '../cri/image.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { NodeMachine } from '../node/node-machine.ts'
import { chooseImages, type ImageRecord } from './choose-images.ts'
import { parseImageName } from './image-name.ts'

export interface ImageCollectorOptions {
  readonly clock: Clock
  readonly log: Log
  readonly runtime: ContainerRuntime
  readonly machine: NodeMachine
  readonly pods: () => readonly Pod[]
  /** References that must stay although no container has them, such as the image of all sandboxes. */
  readonly keptImages: readonly string[]
  /** Says that the disk is too full and too little could be removed. */
  readonly onFailure: (message: string) => void
  readonly settings: ImageCollectionSettings
}

/** As in the kubelet configuration. */
export interface ImageCollectionSettings {
  /** `imageGCHighThresholdPercent` */
  readonly highPercent: number
  /** `imageGCLowThresholdPercent` */
  readonly lowPercent: number
  /** `imageMinimumGCAge` */
  readonly minimumAgeMs: number
  /** `imageMaximumGCAge`: images that nobody has used for so long go whatever room there is; 0: they stay. */
  readonly maximumAgeMs: number
}

interface DetectedImages {
  readonly images: readonly ImageInfo[]
  readonly inUse: ReadonlySet<string>
}

const intervalMs = 300_000

/** Removes images that nobody uses when their disk fills up. */
export class ImageCollector {
  readonly #options: ImageCollectorOptions
  readonly #records = new Map<string, ImageRecord>()

  constructor(options: ImageCollectorOptions) {
    this.#options = options
  }

  /** Looks every five minutes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      await this.collectIfFull().catch((error: unknown) => {
        if (!signal.aborted) log.warn('images not collected', { error })
      })
      await clock.sleep(intervalMs, signal).catch(() => undefined)
    }
  }

  /** Above the high threshold, frees as much as leads to the low one. */
  async collectIfFull(): Promise<void> {
    const { machine, settings, onFailure } = this.#options
    const { highPercent, lowPercent } = settings
    const readings = await machine.readings()
    const disk = readings['imagefs.available'] ?? readings['nodefs.available']
    const images = await this.#detect()
    await this.#freeOld(images)
    if (disk === undefined || disk.capacity === 0) return
    const usedPercent = 100 - Math.floor((disk.available * 100) / disk.capacity)
    if (usedPercent < highPercent) return
    const bytesToFree = Math.max(0, (disk.capacity * (100 - lowPercent)) / 100 - disk.available)
    const freed = await this.#free(images, bytesToFree)
    if (freed >= bytesToFree) return
    const amounts = `Attempted to free ${Math.ceil(bytesToFree)} bytes, but only found ${freed} bytes eligible to free.`
    onFailure(`Failed to garbage collect required amount of images. ${amounts}`)
  }

  /** Removes every image that nobody uses. */
  async collectAll(): Promise<void> {
    await this.#free(await this.#detect(), Infinity)
  }

  /** Notes which images there are and which of them are in use. */
  async #detect(): Promise<DetectedImages> {
    const { runtime, clock } = this.#options
    const [images, containers] = await Promise.all([runtime.listImages(), runtime.listContainers()])
    const nowMs = clock.now()
    const used = new Set([...containers.flatMap(({ image, imageRef }) => [image, imageRef]), ...this.#wanted()])
    const isUsed = ({ id, repoTags, repoDigests }: ImageInfo): boolean =>
      [id, ...repoTags, ...repoDigests].some((name) => used.has(name))
    const inUse = new Set(images.filter(isUsed).map(({ id }) => id))
    for (const { id } of images) {
      const { firstSeenMs, lastUsedMs } = this.#records.get(id) ?? { firstSeenMs: nowMs, lastUsedMs: 0 }
      this.#records.set(id, { firstSeenMs, lastUsedMs: inUse.has(id) ? nowMs : lastUsedMs })
    }
    const ids = new Set(images.map(({ id }) => id))
    for (const id of this.#records.keys()) if (!ids.has(id)) this.#records.delete(id)
    return { images, inUse }
  }

  /** What the pods of the node need, whether their containers exist yet or not. */
  #wanted(): readonly string[] {
    const { pods, keptImages } = this.#options
    const active = pods().filter((pod) => !isPodTerminal(pod))
    const names = active.flatMap(({ spec }) => allContainers(spec).map(({ image = '' }) => image))
    return [...names, ...keptImages].flatMap((name) => {
      try {
        return [name, parseImageName(name).reference]
      } catch {
        return [name]
      }
    })
  }

  async #freeOld({ images, inUse }: DetectedImages): Promise<void> {
    const { clock, settings } = this.#options
    const { maximumAgeMs } = settings
    if (maximumAgeMs === 0) return
    const isOld = ({ id }: ImageInfo): boolean => {
      const { firstSeenMs, lastUsedMs } = this.#records.get(id) ?? { firstSeenMs: clock.now(), lastUsedMs: 0 }
      return clock.now() - Math.max(firstSeenMs, lastUsedMs) > maximumAgeMs
    }
    await this.#free({ images: images.filter(isOld), inUse }, Infinity)
  }

  async #free({ images, inUse }: DetectedImages, bytesToFree: number): Promise<number> {
    const { clock, log, runtime, settings } = this.#options
    const chosen = chooseImages({
      images,
      inUse,
      bytesToFree,
      records: this.#records,
      minimumAgeMs: settings.minimumAgeMs,
      nowMs: clock.now(),
    })
    let freed = 0
    for (const { id, repoTags, sizeBytes } of chosen) {
      try {
        await runtime.removeImage(id)
        freed += sizeBytes
        log.info('unused image removed', { image: repoTags[0] ?? id, bytes: sizeBytes })
      } catch (error) {
        log.warn('unused image not removed', { image: repoTags[0] ?? id, error })
      }
    }
    return freed
  }
}
