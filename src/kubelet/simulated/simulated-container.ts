import type { Clock, Timer } from '#lib/clock.ts'
import type { ContainerConfig, ContainerState, ContainerStatus, ExecResult } from '../cri/container.ts'
import { RuntimeError } from '../cri/runtime.ts'
import type { ContainerBehaviour } from './behaviour.ts'

export interface SimulatedContainerOptions {
  readonly id: string
  readonly sandboxId: string
  readonly podUid: string
  readonly config: ContainerConfig
  readonly behaviour: ContainerBehaviour
  readonly clock: Clock
  /** Called when it has ended. */
  readonly onEnd: () => void
}

const killedExitCode = 137

/** One container of the simulated runtime. */
export class SimulatedContainer {
  readonly #options: SimulatedContainerOptions
  readonly #createdAtMs: number
  readonly #ended = Promise.withResolvers<void>()
  #state: ContainerState = 'created'
  #startedAtMs = 0
  #finishedAtMs = 0
  #exitCode = 0
  #reason = ''
  #message = ''
  #timer: Timer | undefined

  constructor(options: SimulatedContainerOptions) {
    this.#options = options
    this.#createdAtMs = options.clock.now()
  }

  get id(): string {
    return this.#options.id
  }

  get sandboxId(): string {
    return this.#options.sandboxId
  }

  get podUid(): string {
    return this.#options.podUid
  }

  async start(): Promise<void> {
    const { behaviour, clock } = this.#options
    const { startDelayMs = 0, startError, exitAfterMs, exitCode = 0, exitReason = '' } = behaviour
    if (startDelayMs > 0) await clock.sleep(startDelayMs)
    if (startError !== undefined) {
      this.#message = startError
      this.#end(128, 'StartError')
      throw new RuntimeError('Unknown', startError)
    }
    this.#state = 'running'
    this.#startedAtMs = clock.now()
    if (exitAfterMs !== undefined) this.#timer = clock.schedule(exitAfterMs, () => this.#end(exitCode, exitReason))
  }

  async stop(timeoutSeconds: number): Promise<void> {
    if (this.#state !== 'running') return
    const { clock, behaviour } = this.#options
    const { stopDelayMs = 0, stopExitCode = 0 } = behaviour
    const isInTime = stopDelayMs <= timeoutSeconds * 1000
    const delayMs = isInTime ? stopDelayMs : timeoutSeconds * 1000
    if (delayMs === 0) return this.#end(isInTime ? stopExitCode : killedExitCode, '')
    const timer = clock.schedule(delayMs, () => this.#end(isInTime ? stopExitCode : killedExitCode, ''))
    await this.#ended.promise
    timer.cancel()
  }

  kill(): void {
    if (this.#state === 'running') this.#end(killedExitCode, '')
  }

  exec(command: readonly string[]): ExecResult {
    if (this.#state !== 'running') throw new RuntimeError('Unknown', `container "${this.id}" is not running`)
    return (
      this.#options.behaviour.exec?.(command) ?? { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() }
    )
  }

  status(): ContainerStatus {
    const { id, sandboxId, config } = this.#options
    return {
      id,
      sandboxId,
      name: config.name,
      attempt: config.attempt,
      state: this.#state,
      createdAtMs: this.#createdAtMs,
      labels: config.labels,
      annotations: config.annotations,
      startedAtMs: this.#startedAtMs,
      finishedAtMs: this.#finishedAtMs,
      exitCode: this.#exitCode,
      reason: this.#reason,
      message: this.#message,
      image: config.image,
      imageRef: config.imageRef,
      logPath: '',
      mounts: [],
    }
  }

  #end(exitCode: number, reason: string): void {
    if (this.#state === 'exited') return
    this.#timer?.cancel()
    this.#state = 'exited'
    this.#exitCode = exitCode
    this.#reason = reason
    this.#finishedAtMs = this.#options.clock.now()
    this.#ended.resolve()
    this.#options.onEnd()
  }
}
