import type { Container, Pod } from '#api/types/core.v1.ts'
import type { GroupUsage } from '../cgroups/read-usage.ts'
import type { IdRange } from '../user-namespaces/id-range.ts'
import type { LoggedContainer } from '../logs/container-log-files.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import type { SubPathRequest } from '../volumes/sub-path.ts'
import type { VolumeContext } from '../volumes/volume-plugin.ts'

/**
 * Everything that a pod needs of the node beside the runtime: folders, files, volumes, control groups. Two
 * implementations: `linux-pod-host.ts`, and one for simulated nodes that touches nothing.
 */
export interface PodHost {
  /** Makes the pod's folders and control group. Idempotent. */
  prepare(pod: Pod): Promise<PreparedPod>
  /** Users and groups of the node that are the pod's own until `cleanUp`, whatever happens to this process. */
  idRange(pod: Pod): Promise<IdRange>
  /** Gives the pod's control group the limits that the pod has now. */
  resize(pod: Pod): Promise<void>
  volumes(pod: Pod, context: VolumeContext): HostedVolumes
  /** Writes the pod's `/etc/hosts` and resolves to its path on the node. */
  writeHostsFile(pod: Pod, text: string): Promise<string>
  /** Makes the empty file that becomes the container's termination log. */
  createTerminationLog(pod: Pod, container: Container, attempt: number): Promise<string>
  /** Makes sure that a path for a mount of the container exists and stands still; see `bindSubPath`. */
  bindSubPath(pod: Pod, request: Omit<SubPathRequest, 'target'> & { readonly mountId: string }): Promise<string>
  /** Lets log collectors find the log of a container that has begun to run. */
  linkLog(pod: Pod, container: LoggedContainer): Promise<void>
  /** Removes the log of a container that the runtime has no more. */
  removeLog(pod: Pod, container: LoggedContainer): Promise<void>
  /** The end of a text file, at most 4096 bytes; empty when it does not exist. */
  readTail(path: string, limits: { readonly bytes: number; readonly lines?: number }): Promise<string>
  /** The text of a small file in a volume that containers write to; `undefined` when there is none. */
  readInside(folder: string, path: string): Promise<string | undefined>
  /** What the kernel counts of a container or sandbox that runs. */
  usage(pod: Pod, containerId: string): Promise<GroupUsage | undefined>
  /** What the pod has written to the node, in bytes: its empty folders by volume, its logs by container. */
  diskUse(pod: Pod): Promise<PodFolders>
  /** Removes what `prepare` and the rest have made. Throws while something cannot be removed. */
  cleanUp(pod: PodIdentity, options: { readonly withLogs: boolean }): Promise<void>
  /** Uids of pods that left something on the node. */
  remains(): Promise<readonly string[]>
}

export interface HostedVolumes {
  setUp(pod: Pod): Promise<VolumesOnHost>
  refresh(pod: Pod): Promise<void>
  readonly refreshAtMs: number | undefined
}

export interface PodIdentity {
  readonly uid: string
  readonly name: string
  readonly namespace?: string | undefined
}

export interface PodFolders {
  readonly volumes: ReadonlyMap<string, number>
  readonly logs: ReadonlyMap<string, number>
}

export interface PreparedPod {
  readonly cgroupParent: string
  readonly logDirectory: string
}
