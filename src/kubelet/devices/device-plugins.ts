import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { candidateDevices, DevicesUnavailable, nearestDevices, type Candidates } from './choose-devices.ts'
import { mergeGrants, noGrants, type ContainerGrants } from './container-grants.ts'
import { DeviceLedger } from './device-ledger.ts'
import { DevicePlugin } from './device-plugin.ts'
import { requestedDevices } from './requested-devices.ts'
import { serveRegistration, type RegistrationServer } from './registration-server.ts'
import type { ContainerAllocateResponse, RegisterRequest } from './generated/device-plugin_pb.ts'

export interface DevicePluginsOptions {
  /** The kubelet's `device-plugins`. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** The uids of the pods that may hold devices. */
  readonly livePods: () => ReadonlySet<string>
  /** What the node has to give has changed. */
  readonly onChange: () => void
}

/** What a resource of device plugins adds to the node's capacity and to what pods can have. */
export interface DeviceCount {
  readonly resource: string
  readonly capacity: number
  readonly allocatable: number
}

/** A plugin that does not come back within this time takes its resource along. */
const graceMs = 5 * 60_000

/**
 * The device plugins of a node (documentation page "Device Plugins"): they register on `kubelet.sock`, tell what they
 * have, and are asked when containers start. Who has which device outlives the kubelet.
 */
export class DevicePlugins {
  readonly #options: DevicePluginsOptions
  readonly #plugins = new Map<string, DevicePlugin>()
  #ledger = DeviceLedger.empty()
  #server: RegistrationServer | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(options: DevicePluginsOptions) {
    this.#options = options
  }

  /** Throws when what earlier runs gave out cannot be read: then nobody knows which devices are free. */
  async load(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o750 })
    const text = await readFile(this.#checkpoint, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (text !== undefined) this.#ledger = DeviceLedger.parse(text)
  }

  /** Lets plugins register from now on. */
  async serve(): Promise<void> {
    const socket = join(this.#options.folder, 'kubelet.sock')
    this.#server = await serveRegistration(socket, (request) => this.#register(request))
  }

  async stop(): Promise<void> {
    this.#server?.close()
    for (const plugin of this.#plugins.values()) plugin.close()
    await this.#saving
  }

  /** A resource whose plugin has not come back, or not within the time it is given, counts as none. */
  counts(): readonly DeviceCount[] {
    const nowMs = this.#options.clock.now()
    return [...this.#ledger.resources].map((resource) => {
      const plugin = this.#plugins.get(resource)
      const isForgotten = plugin?.goneSinceMs !== undefined && nowMs - plugin.goneSinceMs > graceMs
      const devices = plugin === undefined || isForgotten ? [] : plugin.devices
      const allocatable = devices.filter(({ isHealthy }) => isHealthy).length
      return { resource, capacity: devices.length, allocatable }
    })
  }

  /** Reserves the devices of all containers of a pod. Throws `DevicesUnavailable`. */
  async reserve(pod: Pod): Promise<void> {
    const { uid } = pod.metadata
    if (this.#ledger.keepOnly(new Set([...this.#options.livePods(), uid]))) this.#save()
    const reusable = new Map<string, string[]>()
    for (const { container, kind } of containersInOrder(pod)) {
      for (const [resource, needed] of requestedDevices(container, (name) => this.#ledger.resources.has(name))) {
        const given = await this.#give({ uid, container, resource, needed, reusable: reusable.get(resource) ?? [] })
        const left = (reusable.get(resource) ?? []).filter((id) => !given.includes(id))
        // What an init container has is free again before the next begins; a sidecar keeps its own.
        reusable.set(resource, kind === 'init' ? [...left, ...given] : left)
      }
    }
    await this.#saving
  }

  /** What the devices of a container bring with them, by its plugins. */
  async grant(pod: Pod, container: Container): Promise<ContainerGrants> {
    const devices = this.#ledger.devicesOf(pod.metadata.uid, container.name)
    if (devices.size === 0) return noGrants
    const grants: ContainerGrants[] = []
    for (const [resource, deviceIds] of devices) {
      const plugin = this.#plugins.get(resource)
      if (plugin === undefined || plugin.goneSinceMs !== undefined) {
        throw new DevicesUnavailable(`no healthy device plugin for resource ${resource}`)
      }
      grants.push(grantsOf(await plugin.allocate(deviceIds)))
      if (plugin.info.needsPreStart) await plugin.preStart(deviceIds)
    }
    return mergeGrants(grants)
  }

  get #checkpoint(): string {
    return join(this.#options.folder, 'kubelet_internal_checkpoint')
  }

  async #register({ version, endpoint, resourceName, options }: RegisterRequest): Promise<void> {
    if (version !== 'v1beta1') {
      throw new Error(
        `requested API version "${version}" is not supported by kubelet. Supported version is ["v1beta1"]`,
      )
    }
    if (!isExtendedResource(resourceName)) {
      throw new Error(`the ResourceName "${resourceName}" is invalid`)
    }
    if (endpoint !== basename(endpoint)) throw new Error(`the endpoint "${endpoint}" is no name of a socket`)
    const { folder, clock, log, onChange } = this.#options
    const plugin = await DevicePlugin.connect(
      {
        resource: resourceName,
        socketPath: join(folder, endpoint),
        needsPreStart: options?.preStartRequired ?? false,
        hasPreference: options?.getPreferredAllocationAvailable ?? false,
      },
      { onChange, onEnd: (ended) => this.#ended(ended) },
      clock,
    )
    this.#plugins.get(resourceName)?.close()
    this.#plugins.set(resourceName, plugin)
    this.#ledger.resources.add(resourceName)
    this.#save()
    log.info('device plugin registered', { resource: resourceName })
  }

  #ended(plugin: DevicePlugin): void {
    const { resource } = plugin.info
    const { clock, log, onChange } = this.#options
    if (this.#plugins.get(resource) !== plugin) return
    log.warn('device plugin gone', { resource })
    onChange()
    clock.schedule(graceMs + 1_000, onChange)
  }

  async #give(request: {
    readonly uid: string
    readonly container: Container
    readonly resource: string
    readonly needed: number
    readonly reusable: readonly string[]
  }): Promise<readonly string[]> {
    const { uid, container, resource, needed, reusable } = request
    const known = this.#ledger.devicesOf(uid, container.name).get(resource)
    if (known !== undefined) return known
    const plugin = this.#plugins.get(resource)
    if (plugin === undefined) throw new DevicesUnavailable(`no healthy device plugin for resource ${resource}`)
    const taken = this.#ledger.taken(resource)
    const candidates = candidateDevices(resource, { needed, devices: plugin.devices, taken, reusable })
    const chosen = await choose(plugin, candidates, needed)
    this.#ledger.record(uid, container.name, resource, chosen)
    this.#save()
    return chosen
  }

  /** One write at a time; a crash leaves the old file or the new one. */
  #save(): void {
    const { log } = this.#options
    this.#saving = this.#saving.then(async () => {
      const file = `${this.#checkpoint}.new`
      await writeFile(file, this.#ledger.toText(), { mode: 0o600, flush: true })
      await rename(file, this.#checkpoint)
    })
    this.#saving = this.#saving.catch((error: unknown) => log.error('devices not recorded', { error }))
  }
}

/** The plugin's wish counts if it can be had. */
async function choose(plugin: DevicePlugin, candidates: Candidates, needed: number): Promise<readonly string[]> {
  const { available, mustInclude } = candidates
  const wished = plugin.info.hasPreference ? await plugin.preferred(available, mustInclude, needed).catch(() => []) : []
  const isUsable = new Set(wished).size === needed && wished.every((id) => available.includes(id))
  return isUsable ? wished : nearestDevices(candidates, needed, plugin.devices)
}

interface OrderedContainer {
  readonly container: Container
  readonly kind: 'init' | 'lasting'
}

function containersInOrder({ spec }: Pod): readonly OrderedContainer[] {
  const first = (spec.initContainers ?? []).map((container): OrderedContainer => {
    return { container, kind: container.restartPolicy === 'Always' ? 'lasting' : 'init' }
  })
  return [...first, ...spec.containers.map((container): OrderedContainer => ({ container, kind: 'lasting' }))]
}

function grantsOf({ envs, mounts, devices, annotations, cdiDevices }: ContainerAllocateResponse): ContainerGrants {
  return {
    env: Object.entries(envs).map(([name, value]) => ({ name, value })),
    mounts: mounts.map(({ containerPath, hostPath, readOnly }) => {
      return { containerPath, hostPath, readOnly, propagation: 'private' }
    }),
    devices: devices.map(({ containerPath, hostPath, permissions }) => ({ containerPath, hostPath, permissions })),
    annotations,
    cdiDevices: cdiDevices.map(({ name }) => name),
  }
}

/** A domain and a name, outside Kubernetes' own domain (API reference, "Extended resources"). */
function isExtendedResource(name: string): boolean {
  const [domain = '', local = '', more] = name.split('/')
  if (more !== undefined || local === '' || domain === '' || domain === 'kubernetes.io') return false
  return !domain.endsWith('.kubernetes.io') && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(local)
}
