import type { Health, ReportedHealth } from './device-health.ts'
import { connectGrpc, type GrpcConnection } from '../cri/grpc-connection.ts'

export interface ClaimReference {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** A device that the driver has made ready, with the names under which runtimes know it. */
export interface PreparedDevice {
  readonly pool: string
  readonly device: string
  readonly requests: readonly string[]
  readonly cdiDevices: readonly string[]
}

/** The services that drivers may offer, the best first. */
const services = ['v1.DRAPlugin', 'v1beta1.DRAPlugin'] as const
type ServiceName = (typeof services)[number]

const callTimeoutMs = 45_000

/** One driver of resource claims on this node, over its socket. */
export class DraDriver {
  readonly name: string
  readonly #connection: GrpcConnection
  readonly #service: ServiceName
  readonly #stop = new AbortController()

  private constructor(name: string, connection: GrpcConnection, service: ServiceName) {
    this.name = name
    this.#connection = connection
    this.#service = service
  }

  /** Throws when the driver speaks no version that we do. */
  static async connect(name: string, endpoint: string, versions: readonly string[]): Promise<DraDriver> {
    const service = services.find((each) => versions.includes(each))
    if (service === undefined) {
      throw new Error(`none of the services supported by the DRA driver are known: ${versions.join(', ')}`)
    }
    return new DraDriver(name, await connectGrpc(endpoint), service)
  }

  /** Throws with what the driver says. It may be asked again for a claim that is ready. */
  async prepare(claim: ClaimReference): Promise<readonly PreparedDevice[]> {
    const { nodePrepareResources } = await this.#methods()
    const answer = await this.#connection.unary(nodePrepareResources, { claims: [claim] }, { timeoutMs: callTimeoutMs })
    const prepared = answer.claims[claim.uid]
    if (prepared === undefined) throw new Error(`driver ${this.name} has not answered for claim ${textOf(claim)}`)
    if (prepared.error !== '')
      throw new Error(`NodePrepareResources failed for ResourceClaim ${textOf(claim)}: ${prepared.error}`)
    return prepared.devices.map(({ poolName, deviceName, requestNames, cdiDeviceIds }) => ({
      pool: poolName,
      device: deviceName,
      requests: requestNames,
      cdiDevices: cdiDeviceIds,
    }))
  }

  async unprepare(claim: ClaimReference): Promise<void> {
    const { nodeUnprepareResources } = await this.#methods()
    const answer = await this.#connection.unary(
      nodeUnprepareResources,
      { claims: [claim] },
      { timeoutMs: callTimeoutMs },
    )
    const error = answer.claims[claim.uid]?.error ?? ''
    if (error !== '') throw new Error(`NodeUnprepareResources failed for ResourceClaim ${textOf(claim)}: ${error}`)
  }

  /** Yields what the driver says of its devices until it is closed. Throws where it does not, or no longer, tell. */
  async *health(): AsyncGenerator<readonly ReportedHealth[]> {
    const { DRAResourceHealth, HealthStatus } = await import('./generated/dra-health_pb.ts')
    const words: Readonly<Record<number, Health>> = {
      [HealthStatus.HEALTHY]: 'Healthy',
      [HealthStatus.UNHEALTHY]: 'Unhealthy',
    }
    const { nodeWatchResources } = DRAResourceHealth.method
    for await (const { devices } of this.#connection.serverStream(nodeWatchResources, {}, this.#stop)) {
      yield devices.map(({ device, health, healthCheckTimeoutSeconds }) => ({
        pool: device?.poolName ?? '',
        device: device?.deviceName ?? '',
        health: words[health] ?? 'Unknown',
        timeoutMs: Number(healthCheckTimeoutSeconds) * 1_000,
      }))
    }
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted
  }

  close(): void {
    this.#stop.abort()
    this.#connection.close()
  }

  /** Both versions have the same messages; the descriptors differ in the name of the package alone. */
  async #methods(): Promise<DraMethods> {
    if (this.#service === 'v1.DRAPlugin') return (await import('./generated/dra-v1_pb.ts')).DRAPlugin.method
    return (await import('./generated/dra-v1beta1_pb.ts')).DRAPlugin.method as unknown as DraMethods
  }
}

type DraMethods = (typeof import('./generated/dra-v1_pb.ts'))['DRAPlugin']['method']

function textOf({ namespace, name }: ClaimReference): string {
  return `${namespace}/${name}`
}
