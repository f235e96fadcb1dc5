import { createHash } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { ContainerInfo, ContainerStatus } from '../cri/container.ts'
import type { ImageInfo } from '../cri/image.ts'
import { RuntimeError, type ContainerRuntime, type RuntimeEvent, type RuntimeHandler } from '../cri/runtime.ts'
import type { SandboxConfig, SandboxInfo, SandboxStatus } from '../cri/sandbox.ts'
import { AddressPool } from './address-pool.ts'
import type { SimulatedBehaviour } from './behaviour.ts'
import { EventFeed } from './event-feed.ts'
import { SimulatedContainer } from './simulated-container.ts'

export interface SimulatedRuntimeOptions {
  readonly clock: Clock
  readonly random: Random
  /** IPv4 range that pods get their addresses from. */
  readonly podCidr: string
  readonly behaviour?: SimulatedBehaviour
}

interface SimulatedSandbox {
  readonly config: SandboxConfig
  readonly id: string
  readonly createdAtMs: number
  readonly ips: readonly string[]
  ready: boolean
}

/** Nothing is real, so that everything can be done. */
const handlers: readonly RuntimeHandler[] = [{ name: '', recursiveReadOnly: true, userNamespaces: true }]

/** A container runtime in memory: the whole contract without a process, on the given clock. */
export function simulatedRuntime(options: SimulatedRuntimeOptions): ContainerRuntime {
  return new SimulatedRuntime(options)
}

class SimulatedRuntime implements ContainerRuntime {
  readonly #clock: Clock
  readonly #random: Random
  readonly #behaviour: SimulatedBehaviour
  readonly #addresses: AddressPool
  readonly #feed = new EventFeed<RuntimeEvent>()
  readonly #sandboxes = new Map<string, SimulatedSandbox>()
  readonly #containers = new Map<string, SimulatedContainer>()
  readonly #pulled = new Set<string>()

  constructor({ clock, random, podCidr, behaviour = {} }: SimulatedRuntimeOptions) {
    this.#clock = clock
    this.#random = random
    this.#behaviour = behaviour
    this.#addresses = new AddressPool(podCidr)
  }

  async version() {
    return { name: 'simulated', version: '1.0.0' }
  }

  async status() {
    return { runtimeReady: true, networkReady: true, message: '', handlers, supplementalGroupsPolicy: true }
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    const { sandboxDelayMs = 0, sandboxError } = this.#behaviour
    if (sandboxDelayMs > 0) await this.#clock.sleep(sandboxDelayMs)
    const error = sandboxError?.(config)
    if (error !== undefined) throw new RuntimeError('Unknown', error)
    const id = this.#newId()
    const isHostNetwork = config.security.namespaces.network === 'node'
    const ips = isHostNetwork ? [] : [this.#addresses.take()]
    this.#sandboxes.set(id, { config, id, ips, createdAtMs: this.#clock.now(), ready: true })
    return id
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (sandbox === undefined || !sandbox.ready) return
    for (const container of this.#ofSandbox(id)) container.kill()
    sandbox.ready = false
    this.#addresses.release(sandbox.ips)
    this.#feed.push({ id })
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id)
    for (const container of this.#ofSandbox(id)) this.#containers.delete(container.id)
    this.#sandboxes.delete(id)
  }

  async sandboxStatus(id: string): Promise<SandboxStatus | undefined> {
    const sandbox = this.#sandboxes.get(id)
    if (sandbox === undefined) return undefined
    const hostNetwork = sandbox.config.security.namespaces.network === 'node'
    return { ...sandboxInfo(sandbox), hostNetwork, ips: sandbox.ready ? sandbox.ips : [] }
  }

  async listSandboxes({ podUid }: { readonly podUid?: string } = {}): Promise<readonly SandboxInfo[]> {
    const all = [...this.#sandboxes.values()]
    return all.filter(({ config }) => podUid === undefined || config.metadata.uid === podUid).map(sandboxInfo)
  }

  async createContainer(
    ...[sandboxId, config, sandbox]: Parameters<ContainerRuntime['createContainer']>
  ): Promise<string> {
    if (this.#sandboxes.get(sandboxId)?.ready !== true)
      throw new RuntimeError('NotFound', `sandbox "${sandboxId}" not found`)
    const id = this.#newId()
    const behaviour = this.#behaviour.container?.(config, sandbox) ?? {}
    const onEnd = (): void => this.#feed.push({ id })
    const podUid = sandbox.metadata.uid
    this.#containers.set(
      id,
      new SimulatedContainer({ id, sandboxId, podUid, config, behaviour, clock: this.#clock, onEnd }),
    )
    return id
  }

  startContainer(id: string): Promise<void> {
    return this.#container(id).start()
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    await this.#containers.get(id)?.stop(timeoutSeconds)
  }

  async removeContainer(id: string): Promise<void> {
    this.#containers.get(id)?.kill()
    this.#containers.delete(id)
  }

  async listContainers({ podUid }: { readonly podUid?: string } = {}): Promise<readonly ContainerInfo[]> {
    const all = [...this.#containers.values()]
    return all
      .filter((container) => podUid === undefined || container.podUid === podUid)
      .map((container) => container.status())
  }

  async containerStatus({ id }: Pick<ContainerInfo, 'id' | 'sandboxId'>): Promise<ContainerStatus | undefined> {
    return this.#containers.get(id)?.status()
  }

  async reopenContainerLog(): Promise<void> {}

  async containerStats() {
    return []
  }

  async sandboxStats() {
    return []
  }

  async updateContainerResources(id: string): Promise<void> {
    this.#container(id)
  }

  async imageFileSystem() {
    return undefined
  }

  async execSync(...[id, command]: Parameters<ContainerRuntime['execSync']>) {
    return this.#container(id).exec(command)
  }

  checkpointContainer(): Promise<void> {
    return unimplemented('checkpoint')
  }

  exec(): Promise<string> {
    return unimplemented('exec')
  }

  attach(): Promise<string> {
    return unimplemented('attach')
  }

  portForward(): Promise<string> {
    return unimplemented('port-forward')
  }

  async listImages(): Promise<readonly ImageInfo[]> {
    return [...this.#pulled].map(imageInfo)
  }

  async imageStatus(image: string): Promise<ImageInfo | undefined> {
    const hasImage = this.#behaviour.hasImage ?? (() => true)
    return this.#pulled.has(image) || hasImage(image) ? imageInfo(image) : undefined
  }

  async pullImage(image: string): Promise<string> {
    const { pullDelayMs = 0, pullError } = this.#behaviour
    if (pullDelayMs > 0) await this.#clock.sleep(pullDelayMs)
    const error = pullError?.(image)
    if (error !== undefined) throw new RuntimeError('Unknown', error)
    this.#pulled.add(image)
    return image
  }

  async removeImage(image: string): Promise<void> {
    this.#pulled.delete(image)
  }

  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const events = this.#feed.follow(signal)
    yield {}
    yield* events
  }

  async close(): Promise<void> {}

  #ofSandbox(sandboxId: string): readonly SimulatedContainer[] {
    return [...this.#containers.values()].filter((container) => container.sandboxId === sandboxId)
  }

  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id)
    if (container === undefined) throw new RuntimeError('NotFound', `container "${id}" not found`)
    return container
  }

  #newId(): string {
    return Buffer.from(this.#random.bytes(32)).toString('hex')
  }
}

function sandboxInfo({ id, config, ready, createdAtMs }: SimulatedSandbox): SandboxInfo {
  const { metadata, labels, annotations } = config
  return { id, metadata, ready, createdAtMs, labels, annotations }
}

function imageInfo(image: string): ImageInfo {
  const id = `sha256:${createHash('sha256').update(image).digest('hex')}`
  return { id, repoTags: [image], repoDigests: [], sizeBytes: 1_000_000, username: '', pinned: false }
}

function unimplemented(call: string): Promise<never> {
  return Promise.reject(new RuntimeError('Unimplemented', `a simulated node has no ${call}`))
}
