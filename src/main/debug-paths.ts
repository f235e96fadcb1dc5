import type { SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import { explanationPrefix } from '#api/core/v1/scheduling-explanation.ts'
import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'

/** What the scheduler of this process last decided about the pod `namespace/name`. */
export type ExplainPod = (podKey: string) => SchedulingExplanation | undefined

/** What parts of this process that start after the API server tell through it: paths under `/debug`, and metrics. */
export class DebugPaths {
  #explain: ExplainPod | undefined
  #metrics: () => readonly MetricFamily[] = () => []

  /** Decisions are told from now on, or, without an argument, no more. */
  explainPods(explain: ExplainPod | undefined): void {
    this.#explain = explain
  }

  /** What parts of this process count is told from now on beside what the API server does. */
  tellMetrics(read: () => readonly MetricFamily[]): void {
    this.#metrics = read
  }

  readonly metrics = (): readonly MetricFamily[] => this.#metrics()

  /** Whether scheduler and controllers run in this process. */
  get hasScheduler(): boolean {
    return this.#explain !== undefined
  }

  readonly answer = ({ path, method }: ApiRequest): ApiResponse | undefined => {
    if (!path.startsWith(explanationPrefix)) return undefined
    const [, namespace, name] = /^([^/]+)\/pods\/([^/]+)$/.exec(path.slice(explanationPrefix.length)) ?? []
    if (namespace === undefined || name === undefined) return undefined
    if (method !== 'GET') throw new StatusError('MethodNotAllowed', 'only GET is supported')
    if (!this.#explain) throw new StatusError('ServiceUnavailable', 'the scheduler does not run in this process')
    const key = `${decodeURIComponent(namespace)}/${decodeURIComponent(name)}`
    const explanation = this.#explain(key)
    if (!explanation) throw new StatusError('NotFound', `the scheduler has no decision about pod ${key}`)
    return { status: 200, headers: {}, body: { type: 'object', object: explanation } }
  }
}
