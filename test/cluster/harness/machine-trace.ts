import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'
import { outputOf } from './run-program.ts'

/** Everything a cluster could leave behind on a machine, one line each, by the kind of thing. */
export type MachineTrace = Readonly<Record<TraceKind, readonly string[]>>

type TraceKind =
  | 'processes'
  | 'mounts'
  | 'network namespaces'
  | 'cgroups'
  | 'nftables'
  | 'links'
  | 'folders'
  | 'sysctls'

/** Takes down what is on the machine now: before the cluster starts, and after it is gone. */
export async function machineTrace(): Promise<MachineTrace> {
  return {
    processes: processes(),
    mounts: mounts(),
    'network namespaces': [...namesIn('/run/netns'), ...globSync('/run/coracle*/containerd/*/netns/*')],
    cgroups: cgroups('/sys/fs/cgroup', 5),
    nftables: lines(await outputOf('nft', ['list', 'tables'])),
    links: lines(await outputOf('ip', ['-o', 'link'])).map((line) => line.split(/:\s+|@/)[1] ?? line),
    folders: ['/run', '/var/lib', '/var/lib/cni', '/var/lib/cni/results', '/etc/cni/net.d', '/var/log'].flatMap(
      pathsIn,
    ),
    sysctls: ['net/ipv4/ip_forward', 'net/ipv4/conf/all/route_localnet', 'net/bridge/bridge-nf-call-iptables'].map(
      sysctl,
    ),
  }
}

/**
 * How long it may take until what nobody uses is freed: a container gets two seconds to end even where its pod has no
 * grace period, and the kernel frees the links of a namespace behind our back.
 */
const freeingMs = 10_000

export interface TraceOptions {
  /** Lines that may be there: the kind, a colon and what it is. */
  readonly ignoring?: Pick<RegExp, 'test'>
}

/** Throws with the list of everything that is there now and was not there before. */
export async function assertNoTrace(before: MachineTrace, options: TraceOptions = {}): Promise<void> {
  assert.deepEqual(await leftBehind(before, options), [], 'something was left behind')
}

/** The list of everything that is there now, or a few seconds later, and was not there before. */
export async function leftBehind(before: MachineTrace, { ignoring }: TraceOptions = {}): Promise<readonly string[]> {
  const left = async (): Promise<string[]> => (await leftSince(before)).filter((line) => ignoring?.test(line) !== true)
  const isGone = async (): Promise<true | undefined> => ((await left()).length === 0 ? true : undefined)
  await eventually(isGone, { what: 'the machine is as before', timeoutMs: freeingMs }).catch(() => undefined)
  return await left()
}

async function leftSince(before: MachineTrace): Promise<string[]> {
  return Object.entries(await machineTrace()).flatMap(([kind, now]) => {
    const known = new Set(before[kind as TraceKind])
    return now.filter((line) => !known.has(line)).map((line) => `${kind}: ${line}`)
  })
}

const ours = /coracle|containerd|runc|\bpause\b|nginx|busybox/

/** Only programs that a cluster starts: other processes of the machine come and go. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid) && !isAncestor(name))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()}`)
    .filter((line) => ours.test(line) && !line.includes('test/cluster/'))
}

function isAncestor(pid: string): boolean {
  for (let current = String(process.pid); current !== '0' && current !== ''; current = parentOf(current)) {
    if (current === pid) return true
  }
  return false
}

function parentOf(pid: string): string {
  return /^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? ''
}

function mounts(): string[] {
  return lines(read('/proc/self/mountinfo')).map((line) => line.split(' ').slice(3, 5).join(' at '))
}

function cgroups(folder: string, depth: number): string[] {
  if (depth === 0) return []
  return pathsIn(folder, 'directories').flatMap((path) => [path, ...cgroups(path, depth - 1)])
}

function sysctl(name: string): string {
  return `${name} = ${read(`/proc/sys/${name}`).trim()}`
}

function namesIn(folder: string): string[] {
  return pathsIn(folder).map((path) => path.slice(folder.length + 1))
}

function pathsIn(folder: string, kind?: unknown): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter((entry) => kind !== 'directories' || entry.isDirectory())
      .map((entry) => `${folder}/${entry.name}`)
  } catch {
    return []
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
