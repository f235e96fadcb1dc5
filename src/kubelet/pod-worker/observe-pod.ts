import type { ContainerInfo, ContainerStatus } from '../cri/container.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { SandboxInfo, SandboxStatus } from '../cri/sandbox.ts'
import type { PodView } from './pod-view.ts'

/**
 * Looks at one pod in the runtime. Two lists tell the states; details are asked only for what is new or has changed
 * its state, because nothing else of a container or sandbox ever changes.
 */
export class PodObserver {
  readonly #runtime: ContainerRuntime
  readonly #podUid: string
  #containers = new Map<string, ContainerStatus>()
  #sandboxes = new Map<string, SandboxStatus>()

  constructor(runtime: ContainerRuntime, podUid: string) {
    this.#runtime = runtime
    this.#podUid = podUid
  }

  async observe(): Promise<PodView> {
    const filter = { podUid: this.#podUid }
    const [sandboxes, containers] = await Promise.all([
      this.#runtime.listSandboxes(filter),
      this.#runtime.listContainers(filter),
    ])
    const [sandboxStatuses, containerStatuses] = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#sandboxStatus(sandbox))),
      Promise.all(containers.map((container) => this.#containerStatus(container))),
    ])
    const view = {
      sandboxes: sandboxStatuses.filter((sandbox) => sandbox !== undefined).sort(newestSandboxFirst),
      containers: containerStatuses.filter((container) => container !== undefined).sort(newestFirst),
    }
    this.#sandboxes = new Map(view.sandboxes.map((sandbox) => [sandbox.id, sandbox]))
    this.#containers = new Map(view.containers.map((container) => [container.id, container]))
    return view
  }

  /** The view with a sandbox that has just been made, which costs one call instead of a whole look. */
  async withSandbox(view: PodView, id: string): Promise<PodView> {
    const sandbox = await this.#runtime.sandboxStatus(id)
    if (sandbox === undefined) return this.observe()
    this.#sandboxes.set(id, sandbox)
    return { ...view, sandboxes: [sandbox, ...view.sandboxes] }
  }

  async #containerStatus(container: ContainerInfo): Promise<ContainerStatus | undefined> {
    const known = this.#containers.get(container.id)
    return known?.state === container.state ? known : this.#runtime.containerStatus(container)
  }

  async #sandboxStatus(sandbox: SandboxInfo): Promise<SandboxStatus | undefined> {
    const known = this.#sandboxes.get(sandbox.id)
    if (known && known.ready === sandbox.ready) return known
    return this.#runtime.sandboxStatus(sandbox.id)
  }
}

function newestFirst(a: ContainerStatus, b: ContainerStatus): number {
  return b.createdAtMs - a.createdAtMs || b.attempt - a.attempt
}

function newestSandboxFirst(a: SandboxStatus, b: SandboxStatus): number {
  return b.createdAtMs - a.createdAtMs || b.metadata.attempt - a.metadata.attempt
}
