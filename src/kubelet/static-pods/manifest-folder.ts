import { readdir, readFile, stat, watch } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '#lib/clock.ts'

export interface ManifestFolderOptions {
  /** A folder of manifests, or one manifest. */
  readonly path: string
  readonly clock: Clock
  /** How often it is looked besides changes that the kernel tells of: file systems of other machines tell nothing. */
  readonly everyMs: number
  /** What there is now, by file; called again after every change. */
  readonly onLook: (texts: ReadonlyMap<string, string>) => Promise<void>
}

/** An editor writes a file in several steps. */
const settleMs = 50

/** Reads a folder of manifests again whenever it changes, until the signal aborts. A folder that is missing is empty. */
export async function followManifests(
  { path, clock, everyMs, onLook }: ManifestFolderOptions,
  signal: AbortSignal,
): Promise<void> {
  let changed = Promise.withResolvers<void>()
  const noteChanges = async (): Promise<void> => {
    const folder = (await isFolder(path)) ? path : dirname(path)
    try {
      for await (const _change of watch(folder, { signal })) changed.resolve()
    } catch {
      // The folder is gone or was never there: it is looked for at intervals.
    }
  }
  let watching: Promise<void> | undefined
  while (!signal.aborted) {
    watching ??= noteChanges().finally(() => (watching = undefined))
    await clock.sleep(settleMs, signal).catch(() => undefined)
    changed = Promise.withResolvers<void>()
    await onLook(await readManifests(path))
    const look = new AbortController()
    await Promise.race([
      changed.promise,
      clock.sleep(everyMs, AbortSignal.any([signal, look.signal])).catch(() => undefined),
    ])
    look.abort()
  }
  await watching
}

/** The texts of all manifests, by path; hidden files are none. */
export async function readManifests(path: string): Promise<ReadonlyMap<string, string>> {
  const names = (await isFolder(path)) ? await readdir(path).catch(() => []) : undefined
  const files = names === undefined ? [path] : names.sort().map((name) => join(path, name))
  const texts = new Map<string, string>()
  for (const file of files) {
    if (basename(file).startsWith('.')) continue
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text !== undefined) texts.set(file, text)
  }
  return texts
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}
