import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mountsUnder } from '#lib/mount-info.ts'

/**
 * Removes the files of network namespaces that a containerd was about to make when it was killed: those that nothing is
 * mounted on. `stateDir` is that of a containerd which does not run.
 */
export async function removeUnfinishedNamespaces(stateDir: string): Promise<void> {
  const folder = join(stateDir, 'io.containerd.grpc.v1.cri/netns')
  const mounted = new Set(mountsUnder(await readFile('/proc/self/mountinfo', 'utf8'), [folder]))
  const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
  for (const path of paths.filter((each) => !mounted.has(each))) await rm(path, { force: true })
}
