import { globSync, readFileSync, readlinkSync } from 'node:fs'
import { leftBehind, machineTrace } from '../../test/cluster/harness/machine-trace.ts'

/** Answers what tests have left on the machine since the watch began, one line each, and begins anew. */
export type LeftWatch = () => Promise<readonly string[]>

/**
 * Of all that changes on a machine, what only clusters and their tests make. The folder of namespaces becomes a mount for
 * good when the first one is made.
 */
const ours =
  /^(processes|network namespaces|nftables): |^(mounts|cgroups): .*(coracle|netns\/|kubelet)|^links: (veth|cor|ct\d)/

/** Looks at the machine now, and once more whenever it is asked what was left. Needs root. */
export async function watchForLeft(): Promise<LeftWatch> {
  let before = { trace: await machineTrace(), folders: testFolders() }
  return async () => {
    const left = (await leftBehind(before.trace, { ignoring: notOurs })).toSorted()
    const known = new Set(before.folders)
    const folders = testFolders().filter((path) => !known.has(path))
    before = { trace: await machineTrace(), folders: testFolders() }
    return [...left, ...folders.map((path) => `folders: ${path}`)]
  }
}

const notOurs = { test: (line: string): boolean => !ours.test(line) || isElsewhere(line) }

/** A process of another container of this machine. What a cluster's own containers leave shows by their cgroups. */
function isElsewhere(line: string): boolean {
  const pid = /^processes: (\d+) /.exec(line)?.[1]
  return pid !== undefined && pidNamespace(pid) !== pidNamespace('self')
}

function pidNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** The data of clusters that nobody runs: another run of tests beside this one has its own. */
function testFolders(): string[] {
  const commands = globSync('/proc/[0-9]*/cmdline').map(textOf).join('\n')
  return globSync('/var/tmp/coracle-*').filter((path) => !commands.includes(path))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
