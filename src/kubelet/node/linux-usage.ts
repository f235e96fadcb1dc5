import { readFile } from 'node:fs/promises'
import type { InterfaceStats } from '../cri/runtime.ts'
import type { MachineUsage } from './node-machine.ts'

/** The kernel counts CPU time in hundredths of a second. */
const nanosecondsPerTick = 1e7

/** What the whole machine uses, from `/proc`. */
export async function linuxUsage(): Promise<MachineUsage> {
  const [stat, memInfo, vmStat, netDev] = await Promise.all(
    ['/proc/stat', '/proc/meminfo', '/proc/vmstat', '/proc/net/dev'].map((path) =>
      readFile(path, 'utf8').catch(() => ''),
    ),
  )
  return {
    ...cpuUsage(stat ?? ''),
    ...memoryUsage(memInfo ?? '', vmStat ?? ''),
    interfaces: parseInterfaces(netDev ?? ''),
  }
}

/** Reads `/proc/stat`: all columns of the first line but `idle` and `iowait`; guests are in `user` already. */
export function cpuUsage(stat: string): Pick<MachineUsage, 'cpuNanoseconds' | 'bootedAtMs'> {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  const ticks = user + nice + system + irq + softirq + steal
  return {
    cpuNanoseconds: ticks * nanosecondsPerTick,
    bootedAtMs: Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000,
  }
}

function memoryUsage(
  memInfo: string,
  vmStat: string,
): Omit<MachineUsage, 'cpuNanoseconds' | 'bootedAtMs' | 'interfaces'> {
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(vmStat)?.[1] ?? 0)
  const total = memoryField(memInfo, 'MemTotal')
  return {
    memoryUsageBytes: total - memoryField(memInfo, 'MemFree'),
    // The other side of what eviction goes by, so that both add up to all there is.
    memoryWorkingSetBytes: total - memoryField(memInfo, 'MemAvailable'),
    memoryRssBytes: memoryField(memInfo, 'AnonPages'),
    pageFaults: count('pgfault'),
    majorPageFaults: count('pgmajfault'),
  }
}

/** A line such as `MemTotal:  24683000 kB`, in bytes. */
export function memoryField(memInfo: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(memInfo)?.[1]
  return Number(kibibytes ?? 0) * 1024
}

export interface InterfaceCounters extends InterfaceStats {
  readonly receivedPackets: number
  readonly receiveDrops: number
  readonly sentPackets: number
  readonly sendDrops: number
}

/** Reads `/proc/net/dev`: the machine's own interfaces, real cards first, without the loopback and the pods' cables. */
export function parseInterfaces(netDev: string): readonly InterfaceCounters[] {
  const rows = netDev.split('\n').flatMap((line) => {
    const [name = '', rest] = line.trim().split(/:\s*/)
    if (rest === undefined || name === 'lo' || name.startsWith('veth')) return []
    const figures = rest.trim().split(/\s+/).map(Number)
    const [receivedBytes = 0, receivedPackets = 0, receiveErrors = 0, receiveDrops = 0] = figures
    const [sentBytes = 0, sentPackets = 0, sendErrors = 0, sendDrops = 0] = figures.slice(8)
    const packets = { receivedPackets, receiveDrops, sentPackets, sendDrops }
    return [{ name, receivedBytes, receiveErrors, sentBytes, sendErrors, ...packets }]
  })
  const isCard = ({ name }: InterfaceStats): boolean => /^(eth|en|wl)/.test(name)
  return [...rows.filter(isCard), ...rows.filter((row) => !isCard(row))]
}
