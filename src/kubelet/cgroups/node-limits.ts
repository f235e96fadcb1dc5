import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import type { CgroupSettings } from './cgroup-files.ts'
import { cpuShares } from './pod-resources.ts'

export interface MachineSize {
  readonly cpus: number
  readonly memoryBytes: number
  /** How many processes the kernel allows; 0: unknown. */
  readonly pidMaximum: number
}

/**
 * What all pods together may take (documentation "Reserve Compute Resources"): everything that is not reserved. What
 * eviction keeps free is left to them, or eviction would never be tried before the kernel kills.
 */
export function nodeLimits({ reserved, enforcesAllocatable }: KubeletSettings, machine: MachineSize): CgroupSettings {
  if (!enforcesAllocatable) return {}
  const { cpu = 0, memory = 0, pid = 0 } = reserved
  return {
    cpuShares: cpuShares(Math.max(0, machine.cpus * 1000 - cpu)),
    memoryLimitBytes: Math.max(0, machine.memoryBytes - memory),
    ...(pid > 0 && machine.pidMaximum > pid && { pidsLimit: machine.pidMaximum - pid }),
  }
}
