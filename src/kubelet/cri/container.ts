import type { NamespaceOptions, SeccompSetting } from './sandbox.ts'

export interface ContainerConfig {
  readonly name: string
  /** How often the container was started in this pod before: 0 for the first. */
  readonly attempt: number
  /** The reference that the image service resolved. */
  readonly imageRef: string
  /** The reference as the pod names it. */
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir: string
  readonly env: readonly EnvEntry[]
  readonly mounts: readonly ContainerMount[]
  readonly devices: readonly {
    readonly containerPath: string
    readonly hostPath: string
    readonly permissions: string
  }[]
  /** Names of the container device interface, for runtimes that know it. */
  readonly cdiDevices: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Relative to the sandbox's log directory. */
  readonly logPath: string
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: ContainerResources
  readonly security: ContainerSecurity
  /** Such as `SIGUSR1`; absent: the image's own or SIGTERM. */
  readonly stopSignal?: string
}

export interface EnvEntry {
  readonly name: string
  readonly value: string
}

export interface ContainerMount {
  readonly containerPath: string
  readonly hostPath: string
  readonly readOnly: boolean
  readonly recursiveReadOnly?: boolean
  readonly propagation: 'private' | 'hostToContainer' | 'bidirectional'
  /** The content of an image instead of a path on the node. */
  readonly image?: { readonly id: string; readonly reference: string; readonly subPath: string }
}

/** Settings of the container's cgroup; 0 or absent means "not set". */
export interface ContainerResources {
  readonly cpuShares: number
  readonly cpuPeriod: number
  readonly cpuQuota: number
  readonly memoryLimitBytes: number
  readonly oomScoreAdj: number
  readonly hugepageLimits: readonly { readonly pageSize: string; readonly limitBytes: number }[]
  /** Lists of processors and NUMA nodes, such as `0-2,5`. */
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  /** Files that only cgroup v2 has, and their content. */
  readonly unified?: Readonly<Record<string, string>>
}

export interface ContainerSecurity {
  readonly privileged: boolean
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
  readonly namespaces: NamespaceOptions
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsUsername?: string
  readonly readOnlyRootFilesystem: boolean
  readonly supplementalGroups: readonly number[]
  readonly hasOnlyAskedGroups: boolean
  readonly noNewPrivileges: boolean
  readonly maskedPaths: readonly string[]
  readonly readOnlyPaths: readonly string[]
  readonly seccomp: SeccompSetting
  /** Absent: the runtime's own where the kernel has AppArmor. */
  readonly appArmor?: AppArmorSetting
}

export interface AppArmorSetting {
  readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  /** Name of a profile that the kernel has loaded. */
  readonly profile?: string
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface ContainerInfo {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly state: ContainerState
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** The image as the pod named it, as far as the runtime knows. */
  readonly image: string
  readonly imageRef: string
}

export interface ContainerStatus extends ContainerInfo {
  /** 0 when it never started. */
  readonly startedAtMs: number
  /** 0 while it runs. */
  readonly finishedAtMs: number
  readonly exitCode: number
  /** `Completed`, `Error`, `OOMKilled`, … as the runtime says; may be empty. */
  readonly reason: string
  readonly message: string
  readonly logPath: string
  /** Who its first process runs as, where the runtime says so. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
  readonly mounts: readonly { readonly containerPath: string; readonly hostPath: string }[]
}

export interface ExecResult {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly exitCode: number
}
