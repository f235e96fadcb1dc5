import { quantityToNumber } from '#api/meta/quantity.ts'
import { parseCpuList } from '../cpus/cpu-list.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { defaultMaximumNodes } from './resource-policies.ts'

const topologyPolicies = ['none', 'best-effort', 'restricted', 'single-numa-node']
const cpuOptions: PolicyOptions = {
  manager: 'CPU Manager',
  known: [
    'full-pcpus-only',
    'strict-cpu-reservation',
    'distribute-cpus-across-numa',
    'prefer-align-cpus-by-uncorecache',
  ],
  alpha: ['align-by-socket', 'distribute-cpus-across-cores'],
}
const maximumNodesOption = 'max-allowable-numa-nodes'
const topologyOptions: PolicyOptions = {
  manager: 'Topology Manager',
  known: ['prefer-closest-numa-nodes'],
  alpha: [],
}

/** Options of a policy, of which the alpha ones need a feature gate that is off. */
interface PolicyOptions {
  readonly manager: string
  readonly known: readonly string[]
  readonly alpha: readonly string[]
}

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
    ...optionErrors(cpuManagerPolicyOptions, cpuOptions),
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
    ...topologyOptionErrors(topologyManagerPolicyOptions),
  ]
}

function topologyOptionErrors({ [maximumNodesOption]: nodes, ...others }: Readonly<Record<string, string>>): string[] {
  const errors = optionErrors(others, topologyOptions)
  if (nodes === undefined) return errors
  if (!/^[-+]?\d+$/.test(nodes))
    return [...errors, `unable to convert policy option to integer "${maximumNodesOption}": "${nodes}" is no number`]
  if (Number(nodes) >= defaultMaximumNodes) return errors
  return [...errors, `the minimum value of "${maximumNodesOption}" should not be less than ${defaultMaximumNodes}`]
}

function optionErrors(options: Readonly<Record<string, string>>, { manager, known, alpha }: PolicyOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (alpha.includes(name))
      return [`${manager} Policy Alpha-level Options not enabled, but option "${name}" provided`]
    if (!known.includes(name)) return [`unknown ${manager} Policy option: "${name}"`]
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
