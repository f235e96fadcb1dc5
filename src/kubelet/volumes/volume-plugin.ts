import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { ImageVolumeSource, Node, PersistentVolumeClaim, Pod, Volume } from '#api/types/core.v1.ts'
import type { CsiSource } from '../csi/csi-source.ts'
import type { PodCertificates } from '../certificates/pod-certificates.ts'
import type { PodPlace } from '../environment/field-ref.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { TokenSource } from './token-source.ts'

/** One type of volume: how it comes to be on the node. */
export interface VolumePlugin {
  /** The field of `Volume` that asks for this type. */
  readonly type: keyof Volume
  /** Its source may change while the pod runs: `setUp` is called again when it does. */
  readonly isLive: boolean
  /**
   * Makes the volume ready and says where. Idempotent. Throws with the text that goes into the `FailedMount` event.
   * What it mounts lies in `directory` and is unmounted by the caller when the pod is gone.
   */
  setUp(request: VolumeRequest): Promise<VolumeOnHost>
}

export interface VolumeRequest {
  readonly pod: Pod
  readonly volume: Volume
  /** The volume's own folder on disk; its parent exists. */
  readonly directory: string
  /** The volume's own folder in memory, for what must never reach a disk; its parent may not exist. */
  readonly memoryDirectory: string
  readonly objects: PodObjects
  readonly place: PodPlace
  readonly allocatable: ResourceAmounts
  readonly tokens: TokenSource
  readonly certificates: PodCertificates
  /** This node as the API has it, once it is known. */
  readonly node?: Node
  readonly nowMs: number
  /** Nobody waits for the volume any more: whatever makes it may stop where it is. */
  readonly signal: AbortSignal
  /** Volumes of CSI drivers; absent on nodes that take no plugins. */
  readonly csi?: VolumeService
}

/** What volumes need beside themselves, as of now. */
export type VolumeContext = () => Omit<VolumeRequest, 'pod' | 'volume' | 'directory' | 'memoryDirectory'> & VolumeTimes

/** Counts how long volumes take. */
export interface VolumeTimes {
  timed<Result>(type: string, work: () => Promise<Result>): Promise<Result>
}

/** Makes volumes of CSI drivers ready. */
export interface VolumeService {
  setUp(request: VolumeRequest, source: CsiSource): Promise<VolumeOnHost>
  /** Grows the file system, or what the driver has on this node, after the volume itself has grown. */
  expand(request: VolumeRequest, source: CsiSource, claim: PersistentVolumeClaim): Promise<void>
}

/** How much of a volume is used; what is not known is left out. */
export interface VolumeUse {
  readonly capacityBytes?: number
  readonly availableBytes?: number
  readonly usedBytes?: number
  readonly inodes?: number
  readonly inodesFree?: number
  readonly inodesUsed?: number
}

export interface VolumeOnHost {
  readonly hostPath: string
  /** The containers must not write into it, whatever their mounts say. */
  readonly readOnly?: boolean
  /** Nobody but the kubelet writes into it, so that the links in it can be trusted. */
  readonly isKubeletWritten?: boolean
  /** A block device, for `volumeDevices` alone. */
  readonly isDevice?: boolean
  /** Nothing on the node: the runtime is to mount this image. */
  readonly image?: ImageVolumeSource
  /** How its use is measured where the volume does not tell itself; absent: not at all. */
  readonly measuredAs?: 'files' | 'fileSystem'
  /** Asks whoever has the volume. */
  readonly usage?: () => Promise<VolumeUse>
  /** What it was claimed by. */
  readonly claim?: { readonly name: string; readonly namespace: string }
  /** When `setUp` must be called again although nothing has changed. */
  readonly refreshAtMs?: number
}
