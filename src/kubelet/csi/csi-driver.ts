import type { MessageInitShape } from '@bufbuild/protobuf'
import { timedConnection, type CallTimer } from './timed-connection.ts'
import { connectGrpc, type GrpcConnection } from '../cri/grpc-connection.ts'
import type {
  Node as NodeService,
  NodeExpandVolumeRequestSchema,
  NodePublishVolumeRequestSchema,
  NodeStageVolumeRequestSchema,
} from './generated/csi_pb.ts'

const capabilityNames = {
  1: 'STAGE_UNSTAGE_VOLUME',
  2: 'GET_VOLUME_STATS',
  3: 'EXPAND_VOLUME',
  4: 'VOLUME_CONDITION',
  5: 'SINGLE_NODE_MULTI_WRITER',
  6: 'VOLUME_MOUNT_GROUP',
} as const

/** Whoever asks for metrics does not wait for longer. */
const usageTimeoutMs = 5_000

export type NodeCapability = (typeof capabilityNames)[keyof typeof capabilityNames]

/** What a driver says of this node. */
export interface CsiNodeInfo {
  readonly nodeId: string
  /** 0: no limit is known. */
  readonly maximumVolumes: number
  readonly topology: Readonly<Record<string, string>>
}

export interface VolumeUsage {
  readonly unit: 'bytes' | 'inodes'
  readonly available: number
  readonly total: number
  readonly used: number
}

/** The node service of one CSI driver over its socket. Errors are `RuntimeError`s with the driver's own words. */
export class CsiDriver {
  readonly name: string
  readonly endpoint: string
  readonly #connection: GrpcConnection
  readonly #calls: typeof NodeService.method
  #capabilities: Promise<ReadonlySet<NodeCapability>> | undefined

  private constructor(
    { name, endpoint }: { readonly name: string; readonly endpoint: string },
    connection: GrpcConnection,
    calls: typeof NodeService.method,
  ) {
    this.name = name
    this.endpoint = endpoint
    this.#connection = connection
    this.#calls = calls
  }

  /** `timed` is told of each call. */
  static async connect(at: { readonly name: string; readonly endpoint: string }, timed: CallTimer): Promise<CsiDriver> {
    const { Node } = await import('./generated/csi_pb.ts')
    return new CsiDriver(at, timedConnection(await connectGrpc(at.endpoint), timed), Node.method)
  }

  /** What the driver's node service can do; asked once. */
  capabilities(): Promise<ReadonlySet<NodeCapability>> {
    this.#capabilities ??= this.#askCapabilities().catch((error: unknown) => {
      this.#capabilities = undefined
      throw error
    })
    return this.#capabilities
  }

  async #askCapabilities(): Promise<ReadonlySet<NodeCapability>> {
    const { capabilities } = await this.#connection.unary(this.#calls.nodeGetCapabilities, {})
    const names: Readonly<Record<number, NodeCapability>> = capabilityNames
    const known = capabilities.map(({ type }) => (type.case === 'rpc' ? names[type.value.type] : undefined))
    return new Set(known.filter((name) => name !== undefined))
  }

  async info(): Promise<CsiNodeInfo> {
    const answer = await this.#connection.unary(this.#calls.nodeGetInfo, {})
    return {
      nodeId: answer.nodeId,
      maximumVolumes: Number(answer.maxVolumesPerNode),
      topology: answer.accessibleTopology?.segments ?? {},
    }
  }

  /** Gives up when the signal aborts; what the driver has done by then is not known. */
  async stage(request: MessageInitShape<typeof NodeStageVolumeRequestSchema>, signal: AbortSignal): Promise<void> {
    await this.#connection.unary(this.#calls.nodeStageVolume, request, { signal })
  }

  async unstage(volumeId: string, stagingTargetPath: string): Promise<void> {
    await this.#connection.unary(this.#calls.nodeUnstageVolume, { volumeId, stagingTargetPath })
  }

  /** Gives up when the signal aborts; what the driver has done by then is not known. */
  async publish(request: MessageInitShape<typeof NodePublishVolumeRequestSchema>, signal: AbortSignal): Promise<void> {
    await this.#connection.unary(this.#calls.nodePublishVolume, request, { signal })
  }

  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    await this.#connection.unary(this.#calls.nodeUnpublishVolume, { volumeId, targetPath })
  }

  /** The size that the volume has afterwards; 0 when the driver does not say. */
  async expand(request: MessageInitShape<typeof NodeExpandVolumeRequestSchema>, signal: AbortSignal): Promise<number> {
    const { capacityBytes } = await this.#connection.unary(this.#calls.nodeExpandVolume, request, { signal })
    return Number(capacityBytes)
  }

  async usage(volumeId: string, volumePath: string): Promise<readonly VolumeUsage[]> {
    const { usage } = await this.#connection.unary(
      this.#calls.nodeGetVolumeStats,
      { volumeId, volumePath },
      { timeoutMs: usageTimeoutMs },
    )
    return usage.flatMap(({ unit, available, total, used }) => {
      const amounts = { available: Number(available), total: Number(total), used: Number(used) }
      return unit === 1 || unit === 2 ? [{ unit: unit === 1 ? 'bytes' : 'inodes', ...amounts } as const] : []
    })
  }

  close(): void {
    this.#connection.close()
  }
}
