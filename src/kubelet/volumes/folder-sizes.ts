import { join } from 'node:path'
import type { Pod } from '#api/types/core.v1.ts'
import { runCommand } from '#lib/command.ts'
import type { PodFolders } from '../pod-worker/pod-host.ts'

/**
 * How large the pod's empty folders and its logs are. One `du` for all of them: a tree of any size is walked outside
 * this process. Folders that do not exist are left out.
 */
export async function podFolderSizes(
  { spec }: Pod,
  { podDir, logDir }: { readonly podDir: string; readonly logDir: string },
): Promise<PodFolders> {
  const volumes = new Map(
    (spec.volumes ?? [])
      .filter(({ emptyDir }) => emptyDir !== undefined)
      .map(({ name }) => [join(podDir, 'volumes/kubernetes.io~empty-dir', name), name] as const),
  )
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const logs = new Map(containers.map(({ name }) => [join(logDir, name), name] as const))
  const sizes = await folderSizes([...volumes.keys(), ...logs.keys()])
  const named = (names: ReadonlyMap<string, string>): ReadonlyMap<string, number> =>
    new Map(
      [...sizes].flatMap(([path, bytes]) => (names.has(path) ? [[names.get(path) as string, bytes] as const] : [])),
    )
  return { volumes: named(volumes), logs: named(logs) }
}

async function folderSizes(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (paths.length === 0) return new Map()
  const options = ['--summarize', '--one-file-system', '--block-size=1', '--null', '--']
  // It ends with 1 where a path is missing or a file vanishes under it; what it could count stands all the same.
  const { stdout } = await runCommand('du', [...options, ...paths], { acceptedCodes: [0, 1] })
  return parseSizes(stdout)
}

/** Reads lines of `bytes TAB path NUL`. */
function parseSizes(text: string): ReadonlyMap<string, number> {
  const rows = text.split('\0').filter((row) => row !== '')
  return new Map(rows.map((row) => [row.slice(row.indexOf('\t') + 1), Number(row.slice(0, row.indexOf('\t')))]))
}
