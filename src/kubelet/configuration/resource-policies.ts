import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { CpuPolicyOptions } from '../cpus/cpu-manager.ts'
import { parseCpuList, type CpuSet } from '../cpus/cpu-list.ts'
import type { ReservedNodeMemory } from '../memory/machine-memory.ts'
import type { TopologyPolicy } from '../topology/merge-hints.ts'
import type { TopologySettings } from '../topology/topology-manager.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'

/** Choosing among more NUMA nodes takes long, for it looks at all their combinations. */
export const defaultMaximumNodes = 8

/** How processors and memory are given to containers alone. */
export interface ResourcePolicies {
  /** The static policy; absent: nobody has processors of his own. `reserved`: as the file names them, if it does. */
  readonly cpus?: CpuPolicyOptions & { readonly reserved?: CpuSet }
  /** The static policy; absent: memory comes from anywhere. */
  readonly memory?: { readonly reserved: readonly ReservedNodeMemory[] }
  readonly topology: TopologySettings
}

/** The policies that a valid configuration asks for. */
export function resourcePolicies(given: KubeletConfiguration): ResourcePolicies {
  const { cpuManagerPolicyOptions: cpu = {}, topologyManagerPolicyOptions: topology = {}, reservedSystemCPUs } = given
  const cpus = {
    fullCoresOnly: cpu['full-pcpus-only'] === 'true',
    strictReservation: cpu['strict-cpu-reservation'] === 'true',
    distributesAcrossNodes: cpu['distribute-cpus-across-numa'] === 'true',
    prefersCaches: cpu['prefer-align-cpus-by-uncorecache'] === 'true',
    ...(reservedSystemCPUs && { reserved: parseCpuList(reservedSystemCPUs) }),
  }
  const reserved = (given.reservedMemory ?? []).map(({ numaNode = 0, limits }) => {
    return { node: numaNode, amounts: resourceAmounts(limits) }
  })
  return {
    ...(given.cpuManagerPolicy === 'static' && { cpus }),
    ...(given.memoryManagerPolicy === 'Static' && { memory: { reserved } }),
    topology: {
      policy: (given.topologyManagerPolicy || 'none') as TopologyPolicy,
      scope: given.topologyManagerScope === 'pod' ? 'pod' : 'container',
      prefersClosestNodes: topology['prefer-closest-numa-nodes'] === 'true',
      maximumNodes: Number(topology['max-allowable-numa-nodes'] ?? defaultMaximumNodes),
    },
  }
}
