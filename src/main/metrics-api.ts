import { nodes } from '#api/types/resources.ts'
import type { LocalApi } from '#apiserver/aggregation/local-api.ts'
import type { ObjectReader } from '#apiserver/registry/object-reader.ts'
import type { Client } from '#client/client.ts'
import { hasKubelet, metricsVersion } from '#metrics/metrics-version.ts'
import type { MetricsQuestion } from '#metrics/resource-metrics.ts'
import type { Effects } from './effects.ts'

/** The metrics API in this process, from the moment there is a node that can be asked. Loaded with the first question. */
export function metricsApi(reader: ObjectReader, client: () => Client, { clock, log }: Effects): LocalApi {
  let loading: Promise<(question: MetricsQuestion) => Promise<object>> | undefined
  const load = async (): Promise<(question: MetricsQuestion) => Promise<object>> => {
    const { resourceMetrics } = await import('#metrics/resource-metrics.ts')
    return resourceMetrics({ client: client(), clock, log: log.with({ component: 'metrics' }) })
  }
  return {
    ...metricsVersion,
    isServed: () => reader.list(nodes).some(hasKubelet),
    async answer(question) {
      loading ??= load()
      return (await loading)(question)
    },
  }
}
