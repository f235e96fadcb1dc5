import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import grpc from '@grpc/grpc-js'
import { DRAPlugin } from '#kubelet/claims/generated/dra-v1_pb.ts'
import { Registration } from '#kubelet/plugins/generated/plugin-registration_pb.ts'
import { addService, GrpcError, listenOn } from '../csi-driver/grpc-service.ts'

export interface DraDriverOptions {
  readonly name: string
  /** The kubelet's folder. */
  readonly kubeletDir: string
  /** The request that its devices are for; default `gpu`. */
  readonly request?: string
}

/** Where the descriptions of devices lie that the kubelet, or its runtime, resolves. */
const cdiFolder = '/var/run/cdi'

/**
 * A driver of resource claims for tests, over real sockets: each claim becomes one device of the container device
 * interface, which tells its container of the claim by the environment and brings it `/dev/claimed`.
 */
export class DraTestDriver implements AsyncDisposable {
  /** What it was asked: `prepare claim`, `unprepare claim`. */
  readonly calls: string[] = []
  /** When set, claims cannot be made ready, for this reason. */
  trouble = ''
  readonly #options: DraDriverOptions
  readonly #files = new Set<string>()
  #servers: grpc.Server[] = []

  private constructor(options: DraDriverOptions) {
    this.#options = options
  }

  /** Serves, and puts the registration socket where the kubelet looks. */
  static async start(options: DraDriverOptions): Promise<DraTestDriver> {
    const driver = new DraTestDriver(options)
    await driver.listen()
    return driver
  }

  async listen(): Promise<void> {
    const { name, kubeletDir } = this.#options
    const folder = join(kubeletDir, 'plugins', name)
    await mkdir(folder, { recursive: true })
    await mkdir(cdiFolder, { recursive: true })
    const endpoint = join(folder, 'dra.sock')
    await rm(endpoint, { force: true })
    const service = new grpc.Server()
    addService(service, DRAPlugin, {
      nodePrepareResources: async ({ claims }) => {
        const answers = await Promise.all(claims.map(async (claim) => [claim.uid, await this.#prepare(claim)] as const))
        return { claims: Object.fromEntries(answers) }
      },
      nodeUnprepareResources: async ({ claims }) => {
        for (const claim of claims) await this.#unprepare(claim)
        return { claims: Object.fromEntries(claims.map(({ uid }) => [uid, {}])) }
      },
    })
    await listenOn(service, endpoint)
    const registrar = new grpc.Server()
    addService(registrar, Registration, {
      getInfo: () => ({ type: 'DRAPlugin', name, endpoint, supportedVersions: ['v1.DRAPlugin'] }),
      notifyRegistrationStatus: ({ pluginRegistered, error }) => {
        if (!pluginRegistered) throw new GrpcError('INTERNAL', error)
        return {}
      },
    })
    const registration = join(kubeletDir, 'plugins_registry', `${name}-reg.sock`)
    await rm(registration, { force: true })
    await listenOn(registrar, registration)
    this.#servers = [service, registrar]
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.forceShutdown()
    this.#servers = []
    await rm(join(this.#options.kubeletDir, 'plugins_registry', `${this.#options.name}-reg.sock`), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    for (const file of this.#files) await rm(file, { force: true })
  }

  async #prepare({ name, uid }: { readonly name: string; readonly uid: string }): Promise<object> {
    this.calls.push(`prepare ${name}`)
    if (this.trouble !== '') return { error: this.trouble }
    const kind = `${this.#options.name}/claim`
    const containerEdits = {
      env: [`CLAIMED=${name}`],
      deviceNodes: [{ path: '/dev/claimed', hostPath: '/dev/null', permissions: 'rw' }],
    }
    const file = this.#fileOf(uid)
    this.#files.add(file)
    await writeFile(file, JSON.stringify({ cdiVersion: '0.6.0', kind, devices: [{ name: uid, containerEdits }] }))
    const { request = 'gpu' } = this.#options
    return {
      devices: [{ requestNames: [request], poolName: 'pool', deviceName: 'gpu-0', cdiDeviceIds: [`${kind}=${uid}`] }],
    }
  }

  async #unprepare({ name, uid }: { readonly name: string; readonly uid: string }): Promise<void> {
    this.calls.push(`unprepare ${name}`)
    await rm(this.#fileOf(uid), { force: true })
  }

  #fileOf(uid: string): string {
    return join(cdiFolder, `${this.#options.name}-${uid}.json`)
  }
}
