import { maxAmounts, resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { containerStatus, isSidecar } from '#api/core/v1/pod-facts.ts'
import { quantityOf, quantityOfMilli } from '#api/meta/quantity.ts'
import type { Container, Pod, ResourceRequirements } from '#api/types/core.v1.ts'
import { containerResources } from '../cgroups/pod-resources.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { ResizeCondition } from '../status/pod-status-input.ts'
import { decideResize, type ResizePlan } from './decide-resize.ts'
import { isRunning, latestContainer, type PodView } from './pod-view.ts'
import type { WorkerContext } from './worker-context.ts'

type ApplyPlan = Extract<ResizePlan, { type: 'apply' }>

/** `restarted`: what the pod was seen to be is out of date; `retry`: come back although nothing happens. */
type ResizeOutcome = 'settled' | 'restarted' | 'retry'

/** Keeps what containers were given apart from what they ask for, and brings the two together while they run. */
export class PodResizer {
  readonly #context: WorkerContext
  readonly #restart: (run: ContainerStatus, spec: Container) => Promise<void>
  readonly #given = new Map<string, ResourceRequirements>()
  #givenToPod: ResourceRequirements | undefined
  #condition: ResizeCondition | undefined

  /** `restart` ends a container, which then starts over with what it asks for. */
  constructor(context: WorkerContext, restart: (run: ContainerStatus, spec: Container) => Promise<void>) {
    this.#context = context
    this.#restart = restart
  }

  /** By container name: what runs was given. */
  get given(): ReadonlyMap<string, ResourceRequirements> {
    return this.#given
  }

  /** What the pod as a whole was given; nothing where it asks for nothing as a whole. */
  get givenToPod(): ResourceRequirements | undefined {
    return this.#givenToPod
  }

  /** What the status says of a resize that is not done. */
  get condition(): ResizeCondition | undefined {
    return this.#condition
  }

  /** The container as it is to be started: with new resources only once the node has granted them. */
  granted(container: Container): Container {
    const given = this.#given.get(container.name)
    return given === undefined ? container : { ...container, resources: given }
  }

  /** One look at a pod that is to run, before anything is told of it. */
  async sync(pod: Pod, view: PodView): Promise<ResizeOutcome> {
    const running = this.#noteRunning(pod, view)
    const { allocatable, admittedPods, grants } = this.#context
    const applied = new Map([...this.#given].filter(([name]) => running.has(name)))
    this.#givenToPod ??= pod.status?.resources ?? pod.spec.resources
    const appliedToPod = this.#givenToPod
    const decided = decideResize({
      ...{ pod, applied, allocatable: allocatable(), others: admittedPods() },
      ...(appliedToPod && { appliedToPod }),
    })
    const refusal = decided.type === 'none' ? undefined : grants?.resizeRefusal(pod)
    const plan =
      refusal === undefined ? decided : ({ type: 'pending', reason: 'Infeasible', message: refusal } as const)
    if (plan.type === 'none') this.#condition = undefined
    if (plan.type === 'pending') {
      this.#condition = { type: 'PodResizePending', reason: plan.reason, message: plan.message }
      return plan.reason === 'Deferred' ? 'retry' : 'settled'
    }
    if (plan.type === 'none') return 'settled'
    try {
      await this.#apply(pod, plan, running)
      this.#condition = undefined
      return plan.changes.some(({ needsRestart }) => needsRestart) ? 'restarted' : 'settled'
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#condition = { type: 'PodResizeInProgress', reason: 'Error', message }
      return 'retry'
    }
  }

  /** Containers are first met with what their status says they have; new ones have what they ask for. */
  #noteRunning(pod: Pod, view: PodView): ReadonlyMap<string, ContainerStatus> {
    const running = new Map<string, ContainerStatus>()
    for (const container of [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]) {
      const run = latestContainer(view, container.name)
      if (run === undefined || !isRunning(run)) continue
      running.set(container.name, run)
      if (this.#given.has(container.name)) continue
      const known = containerStatus(pod, container.name)
      const isSameRun = known?.containerID?.endsWith(`//${run.id}`) === true
      this.#given.set(container.name, (isSameRun && known.resources) || (container.resources ?? {}))
    }
    return running
  }

  /** The pod's group must hold the old and the new at once while its containers change one by one. */
  async #apply(
    pod: Pod,
    { changes, isPodLevel }: Pick<ApplyPlan, 'changes' | 'isPodLevel'>,
    running: ReadonlyMap<string, ContainerStatus>,
  ): Promise<void> {
    const { host, runtime, settings } = this.#context
    const limits = { ...this.#context, quota: settings.cpuQuota }
    await host.resize(this.#larger(pod))
    for (const { container, needsRestart } of changes) {
      const run = running.get(container.name)
      if (run === undefined) continue
      if (!needsRestart) await runtime.updateContainerResources(run.id, containerResources(pod, container, limits))
      this.#given.set(container.name, container.resources ?? {})
      if (needsRestart) await this.#restart(run, container)
    }
    if (isPodLevel) {
      // The containers without limits of their own have those of the pod.
      const specs = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
      for (const [name, run] of running) {
        const spec = specs.find((container) => container.name === name)
        if (spec) await runtime.updateContainerResources(run.id, containerResources(pod, this.granted(spec), limits))
      }
      this.#givenToPod = pod.spec.resources
    }
    await host.resize(pod)
  }

  #larger(pod: Pod): Pod {
    const containers = pod.spec.containers.map((container) => {
      const given = this.#given.get(container.name)
      return given === undefined ? container : { ...container, resources: largerOf(given, container.resources ?? {}) }
    })
    const { resources } = pod.spec
    const whole = resources && this.#givenToPod ? largerOf(this.#givenToPod, resources) : resources
    return { ...pod, spec: { ...pod.spec, containers, ...(whole && { resources: whole }) } }
  }
}

function largerOf(a: ResourceRequirements, b: ResourceRequirements): ResourceRequirements {
  const larger = (list: 'requests' | 'limits'): Readonly<Record<string, string>> => {
    const amounts = Object.entries(maxAmounts(resourceAmounts(a[list]), resourceAmounts(b[list])))
    return Object.fromEntries(
      amounts.map(([name, amount]) => [name, name === 'cpu' ? quantityOfMilli(amount) : quantityOf(amount)]),
    )
  }
  return { requests: larger('requests'), limits: larger('limits') }
}
