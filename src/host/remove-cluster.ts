import { existsSync, readdirSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { runCommand } from '#lib/command.ts'
import { cgroupProcesses, removeCgroups } from './cgroup-tree.ts'
import { stopContainerd } from './containerd.ts'
import { endProcess } from './end-process.ts'
import { sysctlRecord, type HostLayout } from './layout.ts'
import type { Machine } from './machine.ts'
import { unmountUnder } from './mounts.ts'
import { identify, readProcessFile } from './process-file.ts'
import { shimsOf } from './shims.ts'
import { restoreSysctls } from './sysctls.ts'

/**
 * Removes every trace of a cluster from this machine: processes, namespaces, mounts, cgroups, nftables tables, links,
 * sysctls, files. Works on what the kernel shows, not on what containerd says, so that a broken or half-made cluster
 * goes as well. Idempotent. `report` hears of each step.
 */
export async function removeCluster(
  layout: HostLayout,
  machine: Machine,
  clock: Clock,
  report: (step: string) => void,
): Promise<void> {
  report('Stopping the cluster process')
  const server = readProcessFile(layout.serverPidFile)
  if (server) await endProcess(server, clock)
  report('Ending containers')
  await endContainers(layout, machine, clock)
  report('Removing mounts, cgroups and network')
  await unmountUnder([layout.runDir, layout.dataDir])
  await removeCgroups(machine.cgroupMounts, layout.cgroupRoot)
  await removeNetwork(layout)
  await restoreSysctls(sysctlRecord(layout))
  await removeLogindDropIn(layout)
  report('Removing files')
  for (const folder of [layout.runDir, layout.dataDir]) await rm(folder, { recursive: true, force: true })
}

const rounds = 10

async function endContainers(layout: HostLayout, machine: Machine, clock: Clock): Promise<void> {
  await stopContainerd(layout, clock)
  // Once more for what a shim had under way: the container it was about to start is in no list before.
  for (let round = 0; round < rounds; round++) {
    const containers = cgroupProcesses(machine.cgroupMounts, layout.cgroupRoot)
    // Shims first: a shim that sees its container end would try to tell a containerd that is gone.
    const running = [...shimsOf(layout.containerd.socket), ...containers]
    if (running.length === 0) return
    for (const pid of running) await killNow(pid, clock)
  }
}

async function killNow(pid: number, clock: Clock): Promise<void> {
  const target = identify(pid)
  if (!target) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  await endProcess(target, clock)
}

async function removeNetwork(layout: HostLayout): Promise<void> {
  await runCommand('ip', ['link', 'delete', layout.bridge]).catch(() => undefined)
  for (const family of ['-4', '-6']) {
    const args = [family, 'route', 'flush', 'proto', String(layout.routeProtocol)]
    await runCommand('ip', args).catch(() => undefined)
  }
  const tables = await runCommand('nft', ['list', 'tables']).catch(() => undefined)
  for (const [, family, name] of (tables?.stdout ?? '').matchAll(/^table (\S+) (\S+)$/gm)) {
    if (name !== layout.nftTable && !name?.startsWith(`${layout.nftTable}_`)) continue
    await runCommand('nft', ['delete', 'table', family as string, name as string])
  }
  for (const file of cniResults(layout)) await rm(file, { force: true })
  // Folders of CNI's library, gone unless another runtime keeps something in them.
  for (const folder of ['/var/lib/cni/results', '/var/lib/cni/cache', '/var/lib/cni']) {
    await rmdir(folder).catch(() => undefined)
  }
}

/** systemd-logind waits for as long as it did before us, from its next look at its configuration on. */
async function removeLogindDropIn({ logindDropIn }: HostLayout): Promise<void> {
  if (!existsSync(logindDropIn)) return
  await rm(logindDropIn)
  // Kept while others have files in it.
  await rmdir(dirname(logindDropIn)).catch(() => undefined)
  const look = ['kill', '--signal=SIGHUP', 'systemd-logind.service']
  await runCommand('systemctl', look).catch(() => undefined)
}

/**
 * CNI's library caches each result outside of our folders, named by network, container and interface. The loopback has
 * a network that all runtimes of the machine share: of that only what belongs to our containers.
 */
function cniResults(layout: HostLayout): string[] {
  const folder = '/var/lib/cni/results'
  const names = existsSync(folder) ? readdirSync(folder) : []
  const ours = names.filter((name) => name.startsWith(`${layout.bridge}-`))
  const containers = new Set(ours.map((name) => name.slice(layout.bridge.length + 1, name.lastIndexOf('-'))))
  const loopbacks = names.filter((name) => containers.has(/^cni-loopback-(.*)-lo$/.exec(name)?.[1] ?? ''))
  return [...ours, ...loopbacks].map((name) => `${folder}/${name}`)
}
