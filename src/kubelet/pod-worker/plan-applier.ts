import type { Pod } from '#api/types/core.v1.ts'
import { isRuntimeError } from '../cri/runtime.ts'
import type { SandboxConfig } from '../cri/sandbox.ts'
import { messageOf } from '#lib/file-error.ts'
import { configError, ContainerStartError } from '../environment/container-start-error.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { containerEvents } from './container-events.ts'
import type { ContainerWaits } from './container-waits.ts'
import type { PodObserver } from './observe-pod.ts'
import type { PreparedPod } from './pod-host.ts'
import type { PodAction, PodPlan } from './pod-plan.ts'
import type { PodRecord } from './pod-record.ts'
import type { PodResizer } from './pod-resizer.ts'
import { sandboxConfigOf, writeHosts } from './pod-surroundings.ts'
import { currentSandbox, isRunning } from './pod-view.ts'
import { startContainer } from './start-container.ts'
import { stopContainer } from './stop-containers.ts'
import type { VolumeKeeper } from './volume-keeper.ts'
import type { WorkerContext } from './worker-context.ts'

export interface PlanApplierOptions {
  readonly context: WorkerContext
  readonly record: PodRecord
  readonly observer: PodObserver
  readonly objects: PodObjects
  readonly volumes: VolumeKeeper
  readonly waits: ContainerWaits
  readonly resizer: PodResizer
  /** A sandbox was made: the record's view has it. */
  readonly onSandbox: () => void
}

type StartAction = Extract<PodAction, { type: 'startContainer' }>
type KillAction = Extract<PodAction, { type: 'killContainer' }>

/** Carries out what was decided for one pod that is to run. */
export class PlanApplier {
  readonly #options: PlanApplierOptions
  #prepared: Promise<PreparedPod> | undefined

  constructor(options: PlanApplierOptions) {
    this.#options = options
  }

  /** Resolves to whether something was done, which shows in the runtime. Failed starts have set a time to come back. */
  async apply({ actions }: PodPlan): Promise<boolean> {
    const { record, volumes: keeper } = this.#options
    const starts = actions.filter((action) => action.type === 'startContainer')
    const others = actions.filter((action) => action.type !== 'startContainer' && action.type !== 'stopPod')
    if (actions.length === 0) return false
    // Volumes are made ready while the runtime sets the sandbox up: neither needs the other.
    const volumes = starts.length > 0 ? this.#prepare().then(() => keeper.setUp(record.pod)) : undefined
    volumes?.catch(() => undefined)
    try {
      // Each may take its whole grace period: they end beside one another.
      await Promise.all(others.flatMap((action) => (action.type === 'killContainer' ? [this.kill(action)] : [])))
      for (const action of others) if (action.type !== 'killContainer' && !isRemoval(action)) await this.#act(action)
    } finally {
      // Whoever comes next may want to take the volumes down: nothing may still be at work on them.
      await volumes?.catch(() => undefined)
    }
    const ready = await volumes
    if (ready !== undefined) await this.#startAll(starts, ready)
    for (const action of others) if (isRemoval(action)) await this.#act(action)
    return ready !== undefined || others.length > 0
  }

  async #act(action: Exclude<PodAction, { type: 'startContainer' | 'stopPod' | 'killContainer' }>): Promise<void> {
    const { context, record } = this.#options
    const { runtime, host } = context
    switch (action.type) {
      case 'createSandbox':
        return this.#createSandbox(action.attempt)
      case 'stopSandbox':
        return runtime.stopSandbox(action.sandbox.id)
      case 'removeContainer':
        await runtime.removeContainer(action.container.id)
        return host.removeLog(record.pod, action.container)
      case 'removeSandbox':
        return runtime.removeSandbox(action.id)
    }
  }

  /** Ends one container of a pod that goes on. */
  async kill({ container: run, spec, message, cause }: KillAction): Promise<void> {
    const { context, record } = this.#options
    const { pod, podIp } = record
    const say = containerEvents(context.events, pod, run.name)
    say('Normal', cause === 'sandbox' ? 'SandboxChanged' : 'Killing', message)
    const probe = cause === 'liveness' ? spec?.livenessProbe : cause === 'startup' ? spec?.startupProbe : undefined
    const graceSeconds = probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
    const { signal } = record.run
    await stopContainer(context, { pod, run, graceSeconds, podIp, signal, ...(spec && { spec }) })
  }

  #prepare(): Promise<PreparedPod> {
    const { context, record } = this.#options
    this.#prepared ??= context.host.prepare(record.pod).catch((error: unknown) => {
      this.#prepared = undefined
      const text = `error making pod data directories: ${messageOf(error)}`
      context.events.record(record.pod, 'Warning', 'FailedToMakePodDataDirectories', text)
      throw error
    })
    return this.#prepared
  }

  async #sandboxConfig(attempt: number): Promise<SandboxConfig> {
    const { context, record } = this.#options
    return sandboxConfigOf(context, { pod: record.pod, attempt, prepared: await this.#prepare() })
  }

  async #prepareClaims(): Promise<void> {
    const { context, record } = this.#options
    try {
      await context.grants?.prepare(record.pod)
    } catch (error) {
      const text = `Failed to prepare dynamic resources: ${error instanceof Error ? error.message : String(error)}`
      context.events.record(record.pod, 'Warning', 'FailedPrepareDynamicResources', text)
      throw error
    }
  }

  async #createSandbox(attempt: number): Promise<void> {
    const { context, record, observer, onSandbox } = this.#options
    await this.#prepareClaims()
    const hasOwnUsers = record.pod.spec.hostUsers === false
    if (hasOwnUsers) context.metrics.startedUserNamespacedPods.add()
    try {
      const config = await this.#sandboxConfig(attempt)
      const handler = context.runtimeHandler(record.pod)
      const id = await this.#measured(handler, () =>
        context.runtime.runSandbox(config, { signal: record.run.signal, handler }),
      )
      record.view = await observer.withSandbox(record.view, id)
    } catch (error) {
      if (hasOwnUsers) context.metrics.startedUserNamespacedPodErrors.add()
      if (!isRuntimeError(error, 'Cancelled')) {
        const text = error instanceof Error ? error.message : String(error)
        context.events.record(record.pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text}`)
      }
      throw error
    }
    onSandbox()
  }

  async #measured<Result>(handler: string, run: () => Promise<Result>): Promise<Result> {
    const { metrics, clock } = this.#options.context
    const labels = { runtime_handler: handler }
    const startedMs = clock.monotonic()
    try {
      return await run()
    } catch (error) {
      metrics.sandboxErrors.add(labels)
      metrics.startedPodErrors.add()
      throw error
    } finally {
      metrics.sandboxSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
    }
  }

  async #startAll(starts: readonly StartAction[], volumes: VolumesOnHost): Promise<void> {
    const { context, record } = this.#options
    const sandbox = currentSandbox(record.view)
    if (sandbox === undefined || starts.length === 0) return
    const [config, hostsPath] = await Promise.all([
      this.#sandboxConfig(sandbox.metadata.attempt),
      writeHosts(context, record.pod, record.podIps).catch((error: unknown) => this.#noHosts(starts, error)),
    ])
    if (hostsPath === undefined) return
    for (const start of starts) {
      if (record.run.signal.aborted) return
      await this.#start(start, { sandboxId: sandbox.id, sandbox: config, hostsPath, volumes })
    }
  }

  /** A full disk, for example: the containers say so and are tried again. */
  #noHosts(starts: readonly StartAction[], error: unknown): undefined {
    const { context, record, waits } = this.#options
    for (const { spec } of starts) {
      const failure = configError(messageOf(error))
      containerEvents(context.events, record.pod, spec.name)('Warning', 'Failed', `Error: ${failure.message}`)
      waits.failed(record.pod, spec.name, failure)
    }
  }

  async #start(
    { spec, attempt, podRestart, backoff }: StartAction,
    around: { sandboxId: string; sandbox: SandboxConfig; hostsPath: string; volumes: VolumesOnHost },
  ): Promise<void> {
    const { context, record, objects, waits, resizer } = this.#options
    const { metrics } = context
    waits.restarting(spec.name, backoff)
    const targetId = this.#targetIdOf(spec.name)
    const type = containerType(record.pod, spec.name)
    const { pod, place, podIp } = record
    try {
      await startContainer(context, {
        ...{ pod, attempt, podRestart, place, podIp, objects, ...around },
        container: resizer.granted(spec),
        signal: record.run.signal,
        ...(targetId !== undefined && { targetId }),
      })
      waits.started(spec.name)
      metrics.startedContainers.add({ container_type: type })
    } catch (error) {
      const code = error instanceof ContainerStartError ? error.reason : 'Unknown'
      if (!record.run.signal.aborted) metrics.startedContainerErrors.add({ code, container_type: type })
      waits.failed(pod, spec.name, error)
    }
  }

  #targetIdOf(name: string): string | undefined {
    const { pod, view } = this.#options.record
    const target = pod.spec.ephemeralContainers?.find((container) => container.name === name)?.targetContainerName
    return target === undefined ? undefined : view.containers.find((run) => run.name === target && isRunning(run))?.id
  }
}

function containerType({ spec }: Pod, name: string): string {
  if (spec.initContainers?.some((container) => container.name === name)) return 'init_container'
  const isEphemeral = spec.ephemeralContainers?.some((container) => container.name === name)
  return isEphemeral ? 'ephemeral_container' : 'container'
}

function isRemoval(action: PodAction): action is Extract<PodAction, { type: 'removeContainer' | 'removeSandbox' }> {
  return action.type === 'removeContainer' || action.type === 'removeSandbox'
}
