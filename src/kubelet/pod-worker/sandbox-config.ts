import { podHostname } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { DnsConfig, PortMapping, SandboxConfig } from '../cri/sandbox.ts'
import { sandboxSecurity } from '../security/container-security.ts'
import type { IdRange } from '../user-namespaces/id-range.ts'
import { sandboxLabels } from './labels.ts'

export interface SandboxConfigInput {
  readonly pod: Pod
  readonly attempt: number
  readonly cgroupParent: string
  readonly logDirectory: string
  readonly dns: DnsConfig
  /** The pod's own users and groups, where it has some. */
  readonly users?: IdRange
  readonly seccompDirectory: string
  readonly clusterDomain: string
}

export function sandboxConfig(input: SandboxConfigInput): SandboxConfig {
  const { pod } = input
  const { name, namespace = '', uid } = pod.metadata
  return {
    metadata: { name, namespace, uid, attempt: input.attempt },
    hostname: sandboxHostname(input),
    logDirectory: input.logDirectory,
    dns: input.dns,
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: pod.metadata.annotations ?? {},
    cgroupParent: input.cgroupParent,
    sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name: key, value }) => [key, value])),
    security: sandboxSecurity(pod, input),
  }
}

function sandboxHostname({ pod, clusterDomain }: SandboxConfigInput): string {
  // On the node's network a pod has the node's own name, which nobody may set.
  if (pod.spec.hostNetwork === true) return ''
  if (pod.spec.hostnameOverride !== undefined) return pod.spec.hostnameOverride
  const fullName = podFullName(pod, clusterDomain)
  return pod.spec.setHostnameAsFQDN === true && fullName !== undefined ? fullName : podHostname(pod)
}

/** The name of a pod with a subdomain in the cluster's DNS. */
export function podFullName(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain } = pod.spec
  if (subdomain === undefined || subdomain === '') return undefined
  return `${podHostname(pod)}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`
}

function portMappings({ spec }: Pod): readonly PortMapping[] {
  if (spec.hostNetwork === true) return []
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, containerPort, protocol = 'TCP', hostIP = '' }) =>
      hostPort > 0 ? [{ protocol, containerPort, hostPort, hostIp: hostIP }] : [],
    ),
  )
}
