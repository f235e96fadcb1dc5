import type { Probe } from '#api/types/core.v1.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { ProbeOutcome } from './probe-outcome.ts'
import type { ProbeType } from './probe-results.ts'

export type ProbeResult = 'success' | 'failure' | 'unknown'

export interface ContainerProbeOptions {
  readonly clock: Clock
  readonly spec: Probe
  readonly type: ProbeType
  readonly startedAtMs: number
  readonly initial: ProbeResult
  /** How long the first try waits beside the delay that the probe asks for. */
  readonly firstDelayMs: number
  readonly mayRun: () => boolean
  readonly attempt: () => Promise<ProbeOutcome>
  readonly changed: () => void
}

/** One probe of one container: tries it every period and turns tries into a result by the thresholds. */
export class ContainerProbe {
  readonly #options: ContainerProbeOptions
  #result: ProbeResult
  #streak = 0
  #lastOk: boolean | undefined
  #timer: Timer | undefined
  #stopped = false
  #busy = false

  constructor(options: ContainerProbeOptions) {
    this.#options = options
    this.#result = options.initial
  }

  get result(): ProbeResult {
    return this.#result
  }

  start(): void {
    this.#schedule(Math.max(this.#options.firstDelayMs, this.#untilDueMs()))
  }

  runSoon(): void {
    this.#schedule(this.#untilDueMs())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** A wall clock that was set back must not hold the probe up for longer than its delay. */
  #untilDueMs(): number {
    const { clock, spec, startedAtMs } = this.#options
    const delayMs = (spec.initialDelaySeconds ?? 0) * 1000
    return Math.min(delayMs, Math.max(0, startedAtMs + delayMs - clock.now()))
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(delayMs, () => void this.#try())
  }

  async #try(): Promise<void> {
    if (this.#busy || this.#stopped || this.#isOver) return
    const { mayRun, attempt, spec } = this.#options
    if (mayRun()) {
      this.#busy = true
      const outcome = await attempt()
      this.#busy = false
      if (this.#stopped) return
      if (outcome.isError !== true) this.#count(outcome.ok)
    }
    this.#schedule((spec.periodSeconds ?? 10) * 1000)
  }

  /** A container that is started stays so, and one that is to be restarted is left alone: the next one has its own. */
  get #isOver(): boolean {
    const { type } = this.#options
    if (type === 'readiness') return false
    return this.#result === 'failure' || (type === 'startup' && this.#result === 'success')
  }

  #count(ok: boolean): void {
    const { spec, changed } = this.#options
    this.#streak = ok === this.#lastOk ? this.#streak + 1 : 1
    this.#lastOk = ok
    const threshold = ok ? (spec.successThreshold ?? 1) : (spec.failureThreshold ?? 3)
    if (this.#streak < threshold) return
    const result: ProbeResult = ok ? 'success' : 'failure'
    if (result === this.#result) return
    this.#result = result
    changed()
  }
}
