import type { PodSpec } from '#api/types/core.v1.ts'
import type { Refusal } from './admission.ts'

/** What a pod may set for itself without doing anything to its neighbours. */
const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]

/** Why the node does not set what the pod asks the kernel for: it is not its own, or the node does not allow it. */
export function sysctlRefusal(
  { securityContext, hostNetwork, hostIPC }: PodSpec,
  allowedUnsafe: readonly string[],
): Refusal | undefined {
  for (const { name } of securityContext?.sysctls ?? []) {
    const sysctl = name.replaceAll('/', '.')
    const isAllowed = safeSysctls.includes(sysctl) || allowedUnsafe.some((pattern) => matches(pattern, sysctl))
    if (!isAllowed) return refusal(name, 'not allowlisted')
    const space = namespaceOf(sysctl)
    if (space === 'net' && hostNetwork === true) return refusal(name, 'not allowed with host net enabled')
    if (space === 'ipc' && hostIPC === true) return refusal(name, 'not allowed with host ipc enabled')
  }
  return undefined
}

function refusal(name: string, why: string): Refusal {
  return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" ${why}` }
}

function matches(pattern: string, sysctl: string): boolean {
  const plain = pattern.replaceAll('/', '.')
  return plain.endsWith('*') ? sysctl.startsWith(plain.slice(0, -1)) : sysctl === plain
}

function namespaceOf(sysctl: string): 'net' | 'ipc' | undefined {
  if (sysctl.startsWith('net.')) return 'net'
  return /^(kernel\.(sem|shm|msg)|fs\.mqueue\.)/.test(sysctl) ? 'ipc' : undefined
}
