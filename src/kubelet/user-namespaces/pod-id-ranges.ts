import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { IdLedger } from './id-ledger.ts'
import type { IdRange } from './id-range.ts'
import { formatMappings, parseMappings } from './mappings-text.ts'

/** Gives each pod that wants one a range of the node's ids. */
export interface PodIdRanges {
  /** The pod's range: the same until `release`, also after a crash. */
  rangeOf(podUid: string): Promise<IdRange>
  /** The pod is gone, and so are its files. */
  release(podUid: string): void
}

export interface PodIdRangesOptions {
  /** Each pod's folder lies here, under its uid. */
  readonly podsDir: string
  /** All ids for pods; see `nodeIds`. */
  readonly ids: IdRange
  readonly idsPerPod: number
}

const fileName = 'userns'

/**
 * Ranges that are kept in the folders of their pods, and taken up from there. Rejects when a pod that is here already has
 * a range that it could not be given now: it would not be safe from others.
 */
export async function podIdRanges({ podsDir, ids, idsPerPod }: PodIdRangesOptions): Promise<PodIdRanges> {
  const ledger = new IdLedger(ids, idsPerPod)
  for (const podUid of await readdir(podsDir)) {
    try {
      const text = await readIfPresent(join(podsDir, podUid, fileName))
      if (text !== '') ledger.record(podUid, parseMappings(text))
    } catch (error) {
      const text = `record pod mappings for existing pod "${podUid}": ${(error as Error).message}`
      throw new Error(text, { cause: error })
    }
  }
  return {
    async rangeOf(podUid) {
      const known = ledger.rangeOf(podUid)
      if (known !== undefined) return known
      const range = ledger.take(podUid)
      try {
        await writeDurably(join(podsDir, podUid, fileName), formatMappings(range))
        return range
      } catch (error) {
        ledger.release(podUid)
        throw new Error(`create user namespace: ${(error as Error).message}`, { cause: error })
      }
    },
    release: (podUid) => ledger.release(podUid),
  }
}

async function readIfPresent(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''
    throw error
  })
}

/** A power cut later finds the whole file: a range that is in use and forgotten could be given away twice. */
async function writeDurably(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const fresh = `${path}.new`
  try {
    await using file = await open(fresh, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(fresh, path)
    await using parent = await open(folder)
    await parent.sync()
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
