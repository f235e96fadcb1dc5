import type { StatsFs } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, hostname, release } from 'node:os'
import type { Amount, MachineReadings } from '../eviction/signals.ts'
import { readSwapCapacity } from '../memory/linux-swap.ts'
import { hasAppArmor } from '../security/app-armor.ts'
import { linuxFiles } from '../topology/linux-files.ts'
import { readHugePages } from '../topology/read-topology.ts'
import { linuxUsage, memoryField } from './linux-usage.ts'
import type { NodeMachine } from './node-machine.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' }

/**
 * This machine, read from `/proc` and `/sys`. `rootDir` tells which file system pods write to, `imageDir` where the
 * runtime keeps images, once it says so.
 */
export function linuxMachine(rootDir: string, imageDir: () => Promise<string | undefined>): NodeMachine {
  return {
    async facts() {
      const [memInfo, machineId, systemUuid, bootId, osRelease, disk, hugePages, swapBytes, confines] =
        await Promise.all([
          text('/proc/meminfo'),
          text('/etc/machine-id'),
          text('/sys/class/dmi/id/product_uuid'),
          text('/proc/sys/kernel/random/boot_id'),
          text('/etc/os-release'),
          statfs(rootDir),
          readHugePages(linuxFiles, '/sys/kernel/mm/hugepages'),
          readSwapCapacity(linuxFiles),
          hasAppArmor(linuxFiles),
        ])
      return {
        hugePages,
        swapBytes,
        hasAppArmor: confines,
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
    usage: linuxUsage,
    async readings() {
      const [memInfo, loadAverage, pidMaximum, node, images] = await Promise.all([
        text('/proc/meminfo'),
        text('/proc/loadavg'),
        text('/proc/sys/kernel/pid_max'),
        statfs(rootDir),
        imageDir().then((path) => (path === undefined ? undefined : statfs(path).catch(() => undefined))),
      ])
      return {
        'memory.available': {
          available: memoryField(memInfo, 'MemAvailable'),
          capacity: memoryField(memInfo, 'MemTotal'),
        },
        'nodefs.available': bytesOf(node),
        'nodefs.inodesFree': inodesOf(node),
        ...(images && { 'imagefs.available': bytesOf(images), 'imagefs.inodesFree': inodesOf(images) }),
        ...processIds(loadAverage, pidMaximum),
      }
    },
  }
}

function bytesOf({ bavail, blocks, bsize }: StatsFs): Amount {
  return { available: bavail * bsize, capacity: blocks * bsize }
}

/** Some file systems have no inodes to run out of: they report none at all. */
function inodesOf({ ffree, files }: StatsFs): Amount {
  return { available: ffree, capacity: files }
}

function processIds(loadAverage: string, pidMaximum: string): MachineReadings {
  const threads = Number(/\/(\d+) \d+\s*$/.exec(loadAverage)?.[1] ?? 0)
  const capacity = Number(pidMaximum)
  return capacity > 0 ? { 'pid.available': { available: capacity - threads, capacity } } : {}
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
