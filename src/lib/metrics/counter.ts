import type { Labels, Metric, MetricFamily } from './metric.ts'

export interface CounterOptions {
  readonly name: string
  readonly help: string
}

/** How many sets of labels one metric keeps; further ones are not counted, so that a bad label cannot fill the memory. */
export const maximumSeries = 10_000

/** A figure that only grows, one per set of labels. */
export class Counter implements Metric {
  readonly #options: CounterOptions
  readonly #series = new Map<string, { readonly labels: Labels; value: number }>()

  constructor(options: CounterOptions) {
    this.#options = options
  }

  add(labels: Labels = {}, amount: number = 1): void {
    const key = JSON.stringify(labels)
    const known = this.#series.get(key)
    if (known) known.value += amount
    else if (this.#series.size < maximumSeries) this.#series.set(key, { labels, value: amount })
  }

  /** Forgets the series whose labels the test says yes to: what they were about is gone. */
  forget(test: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#series) if (test(labels)) this.#series.delete(key)
  }

  read(): MetricFamily {
    return { ...this.#options, type: 'counter', samples: this.#series.values() }
  }
}
