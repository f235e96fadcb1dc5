import type { IdRange } from '../user-namespaces/id-range.ts'

/** Which namespaces a pod shares and with whom. `target` joins the namespace of the container `targetId`. */
export interface NamespaceOptions {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  readonly targetId?: string
  /** The pod's own users and groups; absent: those of the node. */
  readonly users?: IdRange
}

export type NamespaceMode = 'pod' | 'container' | 'node' | 'target'

export interface SeccompSetting {
  readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  readonly localhostPath?: string
}

export interface SandboxMetadata {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  /** How many sandboxes the pod had before. */
  readonly attempt: number
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata
  readonly hostname: string
  readonly logDirectory: string
  readonly dns?: DnsConfig
  readonly portMappings: readonly PortMapping[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly cgroupParent: string
  readonly sysctls: Readonly<Record<string, string>>
  readonly security: SandboxSecurity
}

export interface DnsConfig {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly containerPort: number
  readonly hostPort: number
  readonly hostIp: string
}

export interface SandboxSecurity {
  readonly namespaces: NamespaceOptions
  readonly privileged: boolean
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups: readonly number[]
  /** The groups that the image gives its user are left out. */
  readonly hasOnlyAskedGroups: boolean
  readonly seccomp: SeccompSetting
}

export interface SandboxInfo {
  readonly id: string
  readonly metadata: SandboxMetadata
  readonly ready: boolean
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface SandboxStatus extends SandboxInfo {
  /** The first is the pod's IP; empty for the host's network or when the network is gone. */
  readonly ips: readonly string[]
  readonly hostNetwork: boolean
}
