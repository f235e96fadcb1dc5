import { readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, hostname, release } from 'node:os'
import type { NodeMachine } from './node-machine.ts'

/** Upstream's default thresholds of hard eviction. */
const minimumAvailableMemoryBytes = 100 * 1024 * 1024
const minimumAvailableDisk = 0.1
const minimumFreeInodes = 0.05
const maximumPidUse = 0.95

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' }

/** This machine, read from `/proc` and `/sys`; `rootDir` tells which file system pods write to. */
export function linuxMachine(rootDir: string): NodeMachine {
  return {
    async facts() {
      const [memInfo, machineId, systemUuid, bootId, osRelease, disk] = await Promise.all([
        text('/proc/meminfo'),
        text('/etc/machine-id'),
        text('/sys/class/dmi/id/product_uuid'),
        text('/proc/sys/kernel/random/boot_id'),
        text('/etc/os-release'),
        statfs(rootDir),
      ])
      return {
        cpus: availableParallelism(),
        memoryBytes: memoryField(memInfo, 'MemTotal'),
        ephemeralStorageBytes: disk.blocks * disk.bsize,
        machineId: machineId.trim(),
        systemUuid: systemUuid.trim() || machineId.trim(),
        bootId: bootId.trim(),
        kernelVersion: release(),
        osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
        operatingSystem: 'linux',
        architecture: architectures[arch()] ?? arch(),
        hostname: hostname(),
      }
    },
    async pressure() {
      const [memInfo, loadAverage, pidMaximum, disk] = await Promise.all([
        text('/proc/meminfo'),
        text('/proc/loadavg'),
        text('/proc/sys/kernel/pid_max'),
        statfs(rootDir),
      ])
      const threads = Number(/\/(\d+) \d+\s*$/.exec(loadAverage)?.[1] ?? 0)
      return {
        memory: memoryField(memInfo, 'MemAvailable') < minimumAvailableMemoryBytes,
        disk: disk.bavail < disk.blocks * minimumAvailableDisk || disk.ffree < disk.files * minimumFreeInodes,
        pid: threads > (Number(pidMaximum) || Infinity) * maximumPidUse,
      }
    },
  }
}

/** A line such as `MemTotal:  24683000 kB`, in bytes. */
export function memoryField(memInfo: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(memInfo)?.[1]
  return Number(kibibytes ?? 0) * 1024
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
