import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import grpc from '@grpc/grpc-js'
import {
  Identity,
  Node,
  type NodeServiceCapability_RPC_Type,
  type NodeStageVolumeRequest,
  type NodePublishVolumeRequest,
} from '#kubelet/csi/generated/csi_pb.ts'
import { Registration } from '#kubelet/plugins/generated/plugin-registration_pb.ts'
import { runCommand } from '#lib/command.ts'
import { addService, type GrpcError, listenOn } from './grpc-service.ts'

export interface CsiDriverOptions {
  readonly name: string
  /** The kubelet's folder. */
  readonly kubeletDir: string
  /** Where the volumes are kept. */
  readonly folder: string
  readonly nodeId?: string
  readonly maximumVolumes?: number
  readonly topology?: Readonly<Record<string, string>>
  /** Volumes are published without being staged before. */
  readonly isUnstaged?: boolean
}

/** One call that the driver was asked for. */
export interface DriverCall {
  readonly name: string
  readonly request: Readonly<Record<string, unknown>>
}

const megabyte = 1024 * 1024

/**
 * A storage driver for tests, over real sockets: volumes are folders, or files behind loop devices for block volumes,
 * bound to where the kubelet wants them. It keeps a journal of its calls and fails when it is told to.
 */
export class CsiTestDriver implements AsyncDisposable {
  readonly name: string
  readonly calls: DriverCall[] = []
  readonly #options: CsiDriverOptions
  readonly #failures = new Map<string, GrpcError>()
  readonly #hanging = new Map<string, Promise<void>>()
  #servers: grpc.Server[] = []

  private constructor(options: CsiDriverOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Serves, and puts the registration socket where the kubelet looks. */
  static async start(options: CsiDriverOptions): Promise<CsiTestDriver> {
    const driver = new CsiTestDriver(options)
    await mkdir(join(options.folder, 'volumes'), { recursive: true })
    await driver.listen()
    return driver
  }

  /** From now on the call fails, until it is told otherwise. */
  fail(call: string, error: GrpcError | undefined): void {
    if (error === undefined) this.#failures.delete(call)
    else this.#failures.set(call, error)
  }

  /** From now on the call does not answer; what is returned lets it go on. */
  hang(call: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#hanging.set(call, promise)
    return () => {
      this.#hanging.delete(call)
      resolve()
    }
  }

  callsOf(name: string): readonly DriverCall[] {
    return this.calls.filter((call) => call.name === name)
  }

  /** Where a volume's content is. */
  contentOf(handle: string): string {
    return join(this.#options.folder, 'volumes', handle)
  }

  async listen(): Promise<void> {
    const { kubeletDir, name } = this.#options
    const endpoint = join(kubeletDir, 'plugins', name, 'csi.sock')
    const registration = join(kubeletDir, 'plugins_registry', `${name}-reg.sock`)
    await mkdir(dirname(endpoint), { recursive: true })
    const service = new grpc.Server()
    this.#serve(service)
    await rm(endpoint, { force: true })
    await listenOn(service, endpoint)
    const registrar = new grpc.Server()
    addService(
      registrar,
      Registration,
      {
        getInfo: () => ({ type: 'CSIPlugin', name, endpoint, supportedVersions: ['1.0.0'] }),
        notifyRegistrationStatus: () => ({}),
      },
      (call, request) => this.#note(call, request),
    )
    await rm(registration, { force: true })
    await listenOn(registrar, registration)
    this.#servers = [service, registrar]
  }

  /** Goes away like a driver that is stopped: both sockets vanish. */
  async stop(): Promise<void> {
    for (const server of this.#servers) server.forceShutdown()
    this.#servers = []
    await rm(join(this.#options.kubeletDir, 'plugins_registry', `${this.name}-reg.sock`), { force: true })
    await rm(join(this.#options.kubeletDir, 'plugins', this.name, 'csi.sock'), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    const { stdout } = await runCommand('losetup', ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'])
    for (const row of stdout.split('\n')) {
      const [device = '', file = ''] = row.split(' ')
      if (file.startsWith(this.#options.folder)) await runCommand('losetup', ['--detach', device])
    }
    await rm(this.#options.folder, { recursive: true, force: true })
  }

  async #note(name: string, request: unknown): Promise<void> {
    this.calls.push({ name, request: request as DriverCall['request'] })
    await this.#hanging.get(name)
    const failure = this.#failures.get(name)
    if (failure !== undefined) throw failure
  }

  #serve(server: grpc.Server): void {
    const onCall = (name: string, request: unknown): Promise<void> => this.#note(name, request)
    const { nodeId = 'test-node', maximumVolumes = 0, topology, isUnstaged } = this.#options
    const abilities: readonly NodeServiceCapability_RPC_Type[] = [...(isUnstaged === true ? [] : [1 as const]), 2, 3]
    addService(
      server,
      Identity,
      { getPluginInfo: () => ({ name: this.name, vendorVersion: '1' }), probe: () => ({}) },
      onCall,
    )
    addService(
      server,
      Node,
      {
        nodeGetInfo: () => ({
          nodeId,
          maxVolumesPerNode: BigInt(maximumVolumes),
          ...(topology && { accessibleTopology: { segments: { ...topology } } }),
        }),
        nodeGetCapabilities: () => ({
          capabilities: abilities.map((type) => ({ type: { case: 'rpc', value: { type } } }) as const),
        }),
        nodeStageVolume: (request) => this.#stage(request),
        nodeUnstageVolume: ({ stagingTargetPath }) => unbind(stagingTargetPath),
        nodePublishVolume: (request) => this.#publish(request),
        nodeUnpublishVolume: async ({ volumeId, targetPath }) => {
          await unbind(targetPath)
          await rm(targetPath, { recursive: true, force: true })
          if (volumeId.startsWith('csi-')) await rm(this.contentOf(volumeId), { recursive: true, force: true })
          return {}
        },
        nodeExpandVolume: ({ capacityRange }) => ({ capacityBytes: capacityRange?.requiredBytes ?? 0n }),
        nodeGetVolumeStats: async ({ volumeId }) => {
          const used = BigInt((await readdir(this.contentOf(volumeId))).length)
          return { usage: [{ unit: 1 as const, total: 1000n, used, available: 1000n - used }] }
        },
      },
      onCall,
    )
  }

  async #stage({ volumeId, stagingTargetPath, volumeCapability }: NodeStageVolumeRequest): Promise<object> {
    if (volumeCapability?.accessType.case === 'block') return {}
    await this.#makeContent(volumeId)
    await bind(this.contentOf(volumeId), stagingTargetPath)
    return {}
  }

  async #publish(request: NodePublishVolumeRequest): Promise<object> {
    const { volumeId, targetPath, stagingTargetPath, readonly: isReadOnly, volumeCapability } = request
    if (volumeCapability?.accessType.case === 'block') {
      await writeFile(targetPath, '', { flag: 'a' })
      await bind(await this.#deviceOf(volumeId), targetPath)
      return {}
    }
    await this.#makeContent(volumeId)
    await mkdir(targetPath, { recursive: true })
    await bind(stagingTargetPath || this.contentOf(volumeId), targetPath)
    if (isReadOnly) await runCommand('mount', ['-o', 'remount,bind,ro', targetPath])
    return {}
  }

  async #makeContent(handle: string): Promise<void> {
    await mkdir(this.contentOf(handle), { recursive: true, mode: 0o755 })
  }

  async #deviceOf(handle: string): Promise<string> {
    const file = `${this.contentOf(handle)}.img`
    await writeFile(file, '', { flag: 'a' })
    await truncate(file, megabyte)
    const known = await runCommand('losetup', ['--associated', file, '--noheadings', '--output', 'NAME'])
    const device = known.stdout.trim()
    if (device !== '') return device
    return (await runCommand('losetup', ['--find', '--show', file])).stdout.trim()
  }
}

async function bind(from: string, to: string): Promise<void> {
  const mounted = await runCommand('findmnt', ['--mountpoint', to], { acceptedCodes: [0, 1] })
  if (mounted.code !== 0) await runCommand('mount', ['--bind', from, to])
}

async function unbind(path: string): Promise<object> {
  const mounted = await runCommand('findmnt', ['--mountpoint', path], { acceptedCodes: [0, 1] })
  if (mounted.code === 0) await runCommand('umount', [path])
  return {}
}
