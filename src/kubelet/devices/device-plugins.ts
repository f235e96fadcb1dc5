import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Container, Pod, ResourceStatus } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { allocationFailure } from '../topology/admission-error.ts'
import type { NodeSet, ResourceHints } from '../topology/hint.ts'
import { containersInOrder, type AdmittedContainer, type ResourceManager } from '../topology/resource-manager.ts'
import { StateFile } from '../topology/state-file.ts'
import {
  candidateDevices,
  DevicesUnavailable,
  nearestDevices,
  type Candidates,
  type DeviceChoice,
} from './choose-devices.ts'
import { mergeGrants, noGrants, type ContainerGrants } from './container-grants.ts'
import { deviceHints, nearCandidates } from './device-hints.ts'
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
  /** The machine's NUMA nodes. */
  readonly numaNodes: readonly number[]
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
export class DevicePlugins implements ResourceManager {
  readonly #options: DevicePluginsOptions
  readonly #file: StateFile
  readonly #plugins = new Map<string, DevicePlugin>()
  #ledger = DeviceLedger.empty()
  #server: RegistrationServer | undefined
  /** By pod uid, by resource: what its init containers have and leave to those after them. */
  readonly #reusable = new Map<string, Map<string, readonly string[]>>()

  constructor(options: DevicePluginsOptions) {
    this.#options = options
    this.#file = new StateFile(join(options.folder, 'kubelet_internal_checkpoint'), options.log)
  }

  /** Throws when what earlier runs gave out cannot be read: then nobody knows which devices are free. */
  async load(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o750 })
    const text = await this.#file.read()
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
    await this.saved()
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

  get holders(): Iterable<string> {
    return this.#ledger.holders
  }

  begin(livePods: ReadonlySet<string>): void {
    if (this.#ledger.keepOnly(livePods)) this.#save()
    for (const uid of this.#reusable.keys()) if (!livePods.has(uid)) this.#reusable.delete(uid)
  }

  /** The pod has ended: its devices are free again. */
  release(podUid: string): void {
    this.#reusable.delete(podUid)
    if (this.#ledger.remove(podUid)) this.#save()
  }

  containerHints(asked: AdmittedContainer): ResourceHints {
    const { pod, container } = asked
    const wanted = requestedDevices(container, (name) => this.#ledger.resources.has(name))
    return Object.fromEntries(
      wanted.map(([resource, needed]) => {
        const known = this.#ledger.devicesOf(pod.metadata.uid, container.name).get(resource)
        return [resource, this.#hints({ resource, needed, uid: pod.metadata.uid, known })]
      }),
    )
  }

  podHints(pod: Pod): ResourceHints {
    const lasting = new Map<string, number>()
    const peak = new Map<string, number>()
    for (const { container, kind } of containersInOrder(pod)) {
      for (const [resource, count] of requestedDevices(container, (name) => this.#ledger.resources.has(name))) {
        const together = (lasting.get(resource) ?? 0) + count
        if (kind === 'lasting') lasting.set(resource, together)
        peak.set(resource, Math.max(peak.get(resource) ?? 0, together))
      }
    }
    const { uid } = pod.metadata
    return Object.fromEntries(
      [...peak].map(([resource, needed]) => {
        const known = this.#ledger.devicesOfPod(uid, resource)
        return [resource, this.#hints({ resource, needed, uid, known: known.length > 0 ? known : undefined })]
      }),
    )
  }

  async allocate({ pod, container, kind }: AdmittedContainer, nodes: NodeSet | undefined): Promise<void> {
    const { uid } = pod.metadata
    const reusable = this.#reusable.get(uid) ?? new Map<string, readonly string[]>()
    for (const [resource, needed] of requestedDevices(container, (name) => this.#ledger.resources.has(name))) {
      const before = reusable.get(resource) ?? []
      const given = await this.#give({ uid, container, resource, needed, reusable: before, nodes })
      const left = before.filter((id) => !given.includes(id))
      // What an init container has is free again before the next begins; a sidecar keeps its own.
      reusable.set(resource, kind === 'init' ? [...left, ...given] : left)
    }
    if (reusable.size > 0) this.#reusable.set(uid, reusable)
  }

  saved(): Promise<void> {
    return this.#file.saved()
  }

  /** How the devices of a container are; nobody knows it of those whose plugin is away. */
  health(pod: Pod, container: Container): readonly ResourceStatus[] {
    const devices = this.#ledger.devicesOf(pod.metadata.uid, container.name)
    return [...devices].map(([name, ids]) => {
      const plugin = this.#plugins.get(name)
      const known = plugin?.goneSinceMs === undefined ? (plugin?.devices ?? []) : []
      const healthOf = (id: string): string => {
        const device = known.find((each) => each.id === id)
        return device === undefined ? 'Unknown' : device.isHealthy ? 'Healthy' : 'Unhealthy'
      }
      return { name, resources: ids.map((id) => ({ resourceID: id, health: healthOf(id) })) }
    })
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

  #hints({ resource, needed, uid, known }: HintRequest): ReturnType<typeof deviceHints> {
    const devices = this.#plugins.get(resource)?.devices ?? []
    const reusable = known ?? this.#reusable.get(uid)?.get(resource) ?? []
    const taken = this.#ledger.taken(resource)
    try {
      const candidates = known
        ? { mustInclude: known, available: known }
        : candidateDevices(resource, { needed, devices, taken, reusable })
      return deviceHints({ nodes: this.#options.numaNodes, devices, candidates, needed })
    } catch (error) {
      if (error instanceof DevicesUnavailable) return []
      throw error
    }
  }

  async #give(request: DeviceRequest): Promise<readonly string[]> {
    const { uid, container, resource, needed, reusable, nodes } = request
    const known = this.#ledger.devicesOf(uid, container.name).get(resource)
    if (known !== undefined) return known
    const plugin = this.#plugins.get(resource)
    if (plugin === undefined) throw allocationFailure(`no healthy device plugin for resource ${resource}`)
    const { devices } = plugin
    const candidates = candidatesOrFail(resource, { needed, devices, taken: this.#ledger.taken(resource), reusable })
    const near = nodes === undefined ? candidates : nearCandidates(candidates, { devices, nodes, needed })
    const chosen = await choose(plugin, near, needed)
    this.#ledger.record(uid, container.name, resource, chosen)
    this.#save()
    return chosen
  }

  #save(): void {
    this.#file.save(this.#ledger.toText())
  }
}

interface DeviceRequest {
  readonly uid: string
  readonly container: Container
  readonly resource: string
  readonly needed: number
  readonly reusable: readonly string[]
  readonly nodes: NodeSet | undefined
}

interface HintRequest extends Pick<DeviceRequest, 'uid' | 'resource' | 'needed'> {
  /** What was given already. */
  readonly known: readonly string[] | undefined
}

function candidatesOrFail(resource: string, choice: DeviceChoice): Candidates {
  try {
    return candidateDevices(resource, choice)
  } catch (error) {
    throw error instanceof DevicesUnavailable ? allocationFailure(error.message) : error
  }
}

/** The plugin's wish counts if it can be had. */
async function choose(plugin: DevicePlugin, candidates: Candidates, needed: number): Promise<readonly string[]> {
  const { available, mustInclude } = candidates
  const wished = plugin.info.hasPreference ? await plugin.preferred(available, mustInclude, needed).catch(() => []) : []
  const isUsable = new Set(wished).size === needed && wished.every((id) => available.includes(id))
  return isUsable ? wished : nearestDevices(candidates, needed, plugin.devices)
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
