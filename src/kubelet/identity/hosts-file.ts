import type { HostAlias } from '#api/types/core.v1.ts'

export interface HostsInput {
  readonly podIps: readonly string[]
  readonly hostname: string
  /** `<hostname>.<subdomain>.<namespace>.svc.<cluster domain>` for a pod with a subdomain. */
  readonly fullName?: string
  readonly aliases: readonly HostAlias[]
}

/** The pod's `/etc/hosts`. */
export function hostsFile({ podIps, hostname, fullName, aliases }: HostsInput): string {
  const names = fullName === undefined ? hostname : `${fullName}\t${hostname}`
  const own = podIps.map((ip) => `${ip}\t${names}\n`)
  return `${head}${own.join('')}${aliasLines(aliases)}`
}

/** A pod on the node's network sees the node's own file, and its aliases below. */
export function hostNetworkHostsFile(nodeFile: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasLines(aliases)}`
}

const head = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`)
  return `\n# Entries added by HostAliases.\n${lines.join('')}`
}
