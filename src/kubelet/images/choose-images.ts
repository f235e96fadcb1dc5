import type { ImageInfo } from '../cri/image.ts'

/** What the node remembers of an image. */
export interface ImageRecord {
  readonly firstSeenMs: number
  /** When a container was last seen with it; 0 for never. */
  readonly lastUsedMs: number
}

export interface ImageChoice {
  readonly images: readonly ImageInfo[]
  readonly records: ReadonlyMap<string, ImageRecord>
  /** Ids of images that containers have now, or that pods are about to need. */
  readonly inUse: ReadonlySet<string>
  readonly bytesToFree: number
  /** Images that came later than this are left alone: whoever pulled them has not used them yet. */
  readonly minimumAgeMs: number
  readonly nowMs: number
}

/** The images to remove, those first that nobody has used for longest, until enough is freed. Never one in use. */
export function chooseImages(choice: ImageChoice): readonly ImageInfo[] {
  const { images, records, inUse, bytesToFree, minimumAgeMs, nowMs } = choice
  const recordOf = ({ id }: ImageInfo): ImageRecord => records.get(id) ?? { firstSeenMs: nowMs, lastUsedMs: 0 }
  const eligible = images.filter(
    (image) => !inUse.has(image.id) && !image.pinned && nowMs - recordOf(image).firstSeenMs >= minimumAgeMs,
  )
  eligible.sort((left, right) => {
    const [a, b] = [recordOf(left), recordOf(right)]
    return a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs
  })
  const chosen: ImageInfo[] = []
  let freed = 0
  for (const image of eligible) {
    if (freed >= bytesToFree) break
    chosen.push(image)
    freed += image.sizeBytes
  }
  return chosen
}
