import { quantityToNumber } from '#api/meta/quantity.ts'
import { parseCpuList } from '../cpus/cpu-list.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'

const topologyPolicies = ['none', 'best-effort', 'restricted', 'single-numa-node']
/** Options of policies that this kubelet follows; upstream has more, which are refused. */
const cpuOptions = ['full-pcpus-only', 'strict-cpu-reservation', 'distribute-cpus-across-numa']
const topologyOptions = ['prefer-closest-numa-nodes']

/** What is wrong with the fields about processors, memory and topology. */
export function policyErrors(given: KubeletConfiguration): readonly string[] {
  return [...cpuErrors(given), ...memoryErrors(given), ...topologyErrors(given), ...enforcementErrors(given)]
}

function cpuErrors({
  cpuManagerPolicy,
  cpuManagerPolicyOptions = {},
  reservedSystemCPUs,
}: KubeletConfiguration): string[] {
  const isStatic = cpuManagerPolicy === 'static'
  const isKnown = ['none', 'static', '', undefined].includes(cpuManagerPolicy)
  const given = Object.keys(cpuManagerPolicyOptions)
  return [
    ...(isKnown ? [] : [`[cpumanager] unknown policy: "${cpuManagerPolicy}"`]),
    ...(given.length > 0 && !isStatic ? ['None policy: received unsupported options'] : []),
    ...optionErrors('cpuManagerPolicyOptions', cpuManagerPolicyOptions, cpuOptions),
    ...(isCpuList(reservedSystemCPUs ?? '')
      ? []
      : [`unable to parse reservedSystemCPUs (--reserved-cpus) ${reservedSystemCPUs}`]),
  ]
}

function isCpuList(list: string): boolean {
  try {
    parseCpuList(list)
    return true
  } catch {
    return false
  }
}

function memoryErrors({ memoryManagerPolicy, reservedMemory = [] }: KubeletConfiguration): string[] {
  const isKnown = ['None', 'Static', '', undefined].includes(memoryManagerPolicy)
  const seen = new Set<string>()
  const wrong = reservedMemory.flatMap(({ numaNode = 0, limits = {} }) =>
    Object.entries(limits).flatMap(([type, value]) => {
      const where = `for NUMA node ${numaNode} and resource "${type}"`
      const isRepeated = seen.has(where)
      seen.add(where)
      if (type !== 'memory' && !type.startsWith('hugepages-'))
        return [
          `the limit type "${type}" for NUMA node ${numaNode} is not supported, only [memory hugepages-<HugePageSize>] is accepted`,
        ]
      if (isRepeated) return [`the reserved memory has a duplicate value ${where}`]
      return isPositive(value) ? [] : [`reserved memory may not be zero ${where}`]
    }),
  )
  return [...(isKnown ? [] : [`[memorymanager] unknown policy: "${memoryManagerPolicy}"`]), ...wrong]
}

function isPositive(value: string): boolean {
  try {
    return quantityToNumber(value) > 0
  } catch {
    return false
  }
}

function topologyErrors(given: KubeletConfiguration): string[] {
  const { topologyManagerPolicy = '', topologyManagerScope = '', topologyManagerPolicyOptions = {} } = given
  const names = topologyPolicies.map((name) => `"${name}"`).join(' ')
  return [
    ...(['', ...topologyPolicies].includes(topologyManagerPolicy)
      ? []
      : [`topologyManagerPolicy (--topology-manager-policy) "${topologyManagerPolicy}" must be one of: [${names}]`]),
    ...(['', 'container', 'pod'].includes(topologyManagerScope)
      ? []
      : [
          `topologyManagerScope (--topology-manager-scope) "${topologyManagerScope}" must be one of: "container", or "pod"`,
        ]),
    ...optionErrors('topologyManagerPolicyOptions', topologyManagerPolicyOptions, topologyOptions),
  ]
}

function optionErrors(field: string, options: Readonly<Record<string, string>>, known: readonly string[]): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (!known.includes(name)) return [`${field}: "${name}" is not supported by this kubelet`]
    return value === 'true' || value === 'false'
      ? []
      : [`bad value for option "${name}": "${value}" is neither true nor false`]
  })
}

/** For pods only: the system's own groups belong to whoever made them. */
function enforcementErrors({ enforceNodeAllocatable = ['pods'] }: KubeletConfiguration): string[] {
  if (enforceNodeAllocatable.includes('none') && enforceNodeAllocatable.length > 1)
    return [
      'enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
    ]
  return enforceNodeAllocatable.flatMap((name) => {
    if (['none', 'pods', ''].includes(name)) return []
    const rooms: Readonly<Record<string, string>> = {
      'system-reserved': 'systemReservedCgroup (--system-reserved-cgroup)',
      'kube-reserved': 'kubeReservedCgroup (--kube-reserved-cgroup)',
    }
    if (name === 'system-reserved-compressible' || name === 'kube-reserved-compressible')
      return [`enforceNodeAllocatable: "${name}" is not supported by this kubelet`]
    const room = rooms[name]
    return [
      room === undefined
        ? `option "${name}" specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid options are "pods", "system-reserved", "system-reserved-compressible", "kube-reserved", "kube-reserved-compressible" or "none"`
        : `${room} must be specified when "${name}" contained in enforceNodeAllocatable (--enforce-node-allocatable)`,
    ]
  })
}
