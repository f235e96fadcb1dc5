import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'

interface Times {
  readonly startMs?: number
  readonly endMs?: number
}

const metricNames = ['start', 'end'] as const

/** When the node last ended its pods because the machine went down; kept in a file, since the process ends with it. */
export class ShutdownRecord {
  readonly #file: string | undefined
  readonly #clock: Clock
  #times: Times = {}

  constructor(rootDir: string | undefined, clock: Clock) {
    this.#file = rootDir === undefined ? undefined : join(rootDir, 'graceful_node_shutdown_state')
    this.#clock = clock
  }

  /** Takes up what an earlier process has written; what cannot be read counts as nothing. */
  async load(): Promise<void> {
    if (this.#file === undefined) return
    const text = await readFile(this.#file, 'utf8').catch(() => '{}')
    try {
      const { startTime = '', endTime = '' } = JSON.parse(text) as { startTime?: string; endTime?: string }
      this.#times = { ...timeOf('startMs', startTime), ...timeOf('endMs', endTime) }
    } catch {
      this.#times = {}
    }
  }

  async begin(): Promise<void> {
    this.#times = { startMs: this.#clock.now() }
    await this.#save()
  }

  async end(): Promise<void> {
    this.#times = { ...this.#times, endMs: this.#clock.now() }
    await this.#save()
  }

  read(): readonly MetricFamily[] {
    return metricNames.map((name) => {
      const timeMs = name === 'start' ? this.#times.startMs : this.#times.endMs
      return {
        name: `kubelet_graceful_shutdown_${name}_time_seconds`,
        help: `Last graceful shutdown ${name} time since unix epoch in seconds`,
        type: 'gauge',
        samples: [{ labels: {}, value: (timeMs ?? 0) / 1000 }],
      }
    })
  }

  /** Only figures are lost when it fails. */
  async #save(): Promise<void> {
    if (this.#file === undefined) return
    const { startMs, endMs } = this.#times
    const text = (timeMs: number | undefined): string | undefined =>
      timeMs === undefined ? undefined : new Date(timeMs).toISOString()
    const state = JSON.stringify({ startTime: text(startMs), endTime: text(endMs) })
    await writeFile(this.#file, state, { mode: 0o600 }).catch(() => undefined)
  }
}

function timeOf(name: keyof Times, text: string): Times {
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? {} : { [name]: timeMs }
}
