import { Counter } from './counter.ts'
import { Histogram } from './histogram.ts'
import type { Metric, MetricFamily } from './metric.ts'

/** The metrics of one part of a process, each made when it is first asked for. */
export class MetricSet {
  readonly #metrics = new Map<string, Metric>()

  counter(name: string, help: string): Counter {
    return this.#of(name, () => new Counter({ name, help }))
  }

  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    return this.#of(name, () => new Histogram({ name, help, buckets }))
  }

  read(): readonly MetricFamily[] {
    return [...this.#metrics.values()].map((metric) => metric.read())
  }

  /** Whoever asks for a name again asks for the same kind. */
  #of<M extends Metric>(name: string, make: () => M): M {
    const known = this.#metrics.get(name) as M | undefined
    if (known !== undefined) return known
    const made = make()
    this.#metrics.set(name, made)
    return made
  }
}

/** Upper bounds that grow by a factor. */
export function growingBuckets(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Number((first * factor ** index).toPrecision(12)))
}
