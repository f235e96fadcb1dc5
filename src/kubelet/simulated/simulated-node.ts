import type { MachineReadings } from '../eviction/signals.ts'
import type { NodeEffects } from '../kubelet-options.ts'
import type { MachineFacts, MachineUsage } from '../node/node-machine.ts'
import { probeSuccess } from '../probes/probe-outcome.ts'
import type { ProbeRunner } from '../probes/run-probe.ts'
import { simulatedPodHost } from './simulated-pod-host.ts'

export interface SimulatedNodeOptions {
  readonly cpus?: number
  readonly memoryBytes?: number
  /** What the machine has left; default: nothing runs out. */
  readonly readings?: () => MachineReadings
  /** Answers probes; default: all succeed. */
  readonly probe?: ProbeRunner
}

const noUsage: MachineUsage = {
  bootedAtMs: 0,
  cpuNanoseconds: 0,
  memoryUsageBytes: 0,
  memoryWorkingSetBytes: 0,
  memoryRssBytes: 0,
  pageFaults: 0,
  majorPageFaults: 0,
  interfaces: [],
}

const gibibyte = 1024 ** 3

/** A node without a machine: it has what it is told, and nothing on it is real. */
export function simulatedNode(options: SimulatedNodeOptions = {}): NodeEffects {
  const facts: MachineFacts = {
    cpus: options.cpus ?? 32,
    memoryBytes: options.memoryBytes ?? 256 * gibibyte,
    ephemeralStorageBytes: 100 * gibibyte,
    swapBytes: 0,
    hasAppArmor: false,
    hugePages: new Map([2 * 1024 ** 2, gibibyte].map((size) => [size, 0])),
    machineId: '',
    systemUuid: '',
    bootId: '',
    kernelVersion: 'simulated',
    osImage: 'Simulated node',
    operatingSystem: 'linux',
    architecture: 'amd64',
    hostname: 'simulated',
  }
  return {
    host: simulatedPodHost(),
    machine: { facts: async () => facts, readings: async () => options.readings?.() ?? {}, usage: async () => noUsage },
    files: { resolvConf: async () => ({ servers: [], searches: [], options: [] }), hosts: async () => '' },
    probe: options.probe ?? (async () => probeSuccess),
    seccompDirectory: '/simulated/seccomp',
  }
}
