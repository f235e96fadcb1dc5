import { Counter } from '#lib/metrics/counter.ts'
import { formatMetrics } from '#lib/metrics/metric.ts'

/** How often each health check was run, and what came of it last. */
export class HealthMetrics {
  readonly #totals = new Counter({
    name: 'kubernetes_healthchecks_total',
    help: 'This metric records the results of all healthcheck.',
  })
  readonly #last = new Map<string, { readonly name: string; readonly type: string; readonly isWell: boolean }>()

  ran(type: string, name: string, isWell: boolean): void {
    this.#totals.add({ name, status: isWell ? 'success' : 'error', type })
    this.#last.set(`${type}/${name}`, { name, type, isWell })
  }

  text(): string {
    const samples = [...this.#last.values()].map(({ name, type, isWell }) => ({
      labels: { name, type },
      value: isWell ? 1 : 0,
    }))
    const help = 'This metric records the result of a single healthcheck.'
    return formatMetrics([{ name: 'kubernetes_healthcheck', help, type: 'gauge', samples }, this.#totals.read()])
  }
}
