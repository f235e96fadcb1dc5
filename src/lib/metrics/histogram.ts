import { maximumSeries, type CounterOptions } from './counter.ts'
import { formatNumber, type Labels, type Metric, type MetricFamily, type Sample } from './metric.ts'

export interface HistogramOptions extends CounterOptions {
  /** Upper bounds, rising; the last, infinite one is added. */
  readonly buckets: readonly number[]
}

interface Series {
  readonly labels: Labels
  readonly counts: number[]
  sum: number
  count: number
}

/** How often figures of which size were observed, one histogram per set of labels. */
export class Histogram implements Metric {
  readonly #options: HistogramOptions
  readonly #series = new Map<string, Series>()

  constructor(options: HistogramOptions) {
    this.#options = options
  }

  observe(value: number, labels: Labels = {}): void {
    const key = JSON.stringify(labels)
    const series = this.#series.get(key) ?? { labels, counts: this.#options.buckets.map(() => 0), sum: 0, count: 0 }
    if (!this.#series.has(key)) {
      if (this.#series.size >= maximumSeries) return
      this.#series.set(key, series)
    }
    const bucket = this.#options.buckets.findIndex((bound) => value <= bound)
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
    series.sum += value
    series.count++
  }

  /** Forgets the series whose labels the test says yes to. */
  forget(test: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#series) if (test(labels)) this.#series.delete(key)
  }

  read(): MetricFamily {
    const { name, help, buckets } = this.#options
    return {
      name,
      help,
      type: 'histogram',
      samples: [...this.#series.values()].flatMap((each) => samplesOf(each, buckets)),
    }
  }
}

function samplesOf({ labels, counts, sum, count }: Series, buckets: readonly number[]): readonly Sample[] {
  let cumulated = 0
  const rows = buckets.map((bound, index) => {
    cumulated += counts[index] ?? 0
    return { suffix: '_bucket', labels: { ...labels, le: formatNumber(bound) }, value: cumulated }
  })
  return [
    ...rows,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}
