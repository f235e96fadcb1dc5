import type { Clock } from '#lib/clock.ts'
import { Counter } from '#lib/metrics/counter.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import type { Metric } from '#lib/metrics/metric.ts'
import type { RequestObserver } from './client.ts'

/** Counts a client's requests under the names that all of Kubernetes' components use. */
export class RequestMetrics {
  readonly #requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
  })
  readonly #seconds = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Request latency in seconds. Broken down by verb, and host.',
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
  })
  readonly observe: RequestObserver

  /** `host`: where the server is, as the labels say it. */
  constructor({ host, clock }: { readonly host: string; readonly clock: Clock }) {
    this.observe = (method) => {
      const startedMs = clock.monotonic()
      return (code) => {
        this.#requests.add({ code: code === undefined ? '<error>' : String(code), host, method })
        this.#seconds.observe((clock.monotonic() - startedMs) / 1000, { host, verb: method })
      }
    }
  }

  get families(): readonly Metric[] {
    return [this.#requests, this.#seconds]
  }
}
