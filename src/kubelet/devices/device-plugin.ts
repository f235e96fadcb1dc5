import type { Clock } from '#lib/clock.ts'
import { connectGrpc, type GrpcConnection } from '../cri/grpc-connection.ts'
import type { Device } from './choose-devices.ts'
import type { ContainerAllocateResponse } from './generated/device-plugin_pb.ts'

export interface DevicePluginInfo {
  readonly resource: string
  /** The socket of the plugin's own service. */
  readonly socketPath: string
  readonly needsPreStart: boolean
  readonly hasPreference: boolean
}

export interface DevicePluginEvents {
  /** The list of devices, or the health of one, has changed. */
  readonly onChange: () => void
  /** The plugin does not answer any more. */
  readonly onEnd: (plugin: DevicePlugin) => void
}

const callTimeoutMs = 30_000

/** One registered device plugin: what it has, and the calls that hand devices to containers. */
export class DevicePlugin {
  readonly info: DevicePluginInfo
  readonly #connection: GrpcConnection
  readonly #events: DevicePluginEvents
  readonly #stop = new AbortController()
  #devices: readonly Device[] = []
  /** Since when the plugin is away; undefined while it answers. */
  goneSinceMs: number | undefined

  private constructor(info: DevicePluginInfo, connection: GrpcConnection, events: DevicePluginEvents) {
    this.info = info
    this.#connection = connection
    this.#events = events
  }

  static async connect(info: DevicePluginInfo, events: DevicePluginEvents, clock: Clock): Promise<DevicePlugin> {
    const plugin = new DevicePlugin(info, await connectGrpc(info.socketPath), events)
    void plugin.#follow(clock)
    return plugin
  }

  /** None is healthy once the plugin is gone. */
  get devices(): readonly Device[] {
    if (this.goneSinceMs === undefined) return this.#devices
    return this.#devices.map((device) => ({ ...device, isHealthy: false }))
  }

  /** The devices the plugin would rather give; it need not answer with usable ones. */
  async preferred(
    available: readonly string[],
    mustInclude: readonly string[],
    size: number,
  ): Promise<readonly string[]> {
    const { DevicePlugin: service } = await import('./generated/device-plugin_pb.ts')
    const request = { availableDeviceIds: [...available], mustIncludeDeviceIds: [...mustInclude], allocationSize: size }
    const answer = await this.#connection.unary(
      service.method.getPreferredAllocation,
      { containerRequests: [request] },
      { timeoutMs: callTimeoutMs },
    )
    return answer.containerResponses[0]?.deviceIds ?? []
  }

  async allocate(deviceIds: readonly string[]): Promise<ContainerAllocateResponse> {
    const { DevicePlugin: service } = await import('./generated/device-plugin_pb.ts')
    const request = { containerRequests: [{ deviceIds: [...deviceIds] }] }
    const answer = await this.#connection.unary(service.method.allocate, request, { timeoutMs: callTimeoutMs })
    const [container] = answer.containerResponses
    if (container === undefined)
      throw new Error(`no containers return in allocation response ${JSON.stringify(answer)}`)
    return container
  }

  async preStart(deviceIds: readonly string[]): Promise<void> {
    const { DevicePlugin: service } = await import('./generated/device-plugin_pb.ts')
    const request = { deviceIds: [...deviceIds] }
    await this.#connection.unary(service.method.preStartContainer, request, { timeoutMs: callTimeoutMs })
  }

  close(): void {
    this.#stop.abort()
    this.#connection.close()
  }

  async #follow(clock: Clock): Promise<void> {
    const { signal } = this.#stop
    try {
      const { DevicePlugin: service } = await import('./generated/device-plugin_pb.ts')
      for await (const { devices } of this.#connection.serverStream(service.method.listAndWatch, {}, { signal })) {
        this.#devices = devices.map(({ id, health, topology }) => ({
          id,
          isHealthy: health === 'Healthy',
          numaNodes: (topology?.nodes ?? []).map((node) => Number(node.id)),
        }))
        this.#events.onChange()
      }
    } catch {
      // Whoever ends without a word and whoever fails is gone in the same way.
    }
    if (signal.aborted) return
    this.goneSinceMs = clock.now()
    this.#connection.close()
    this.#events.onEnd(this)
  }
}
