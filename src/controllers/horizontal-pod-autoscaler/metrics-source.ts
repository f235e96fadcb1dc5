import { formatLabelSelector, matcherOf } from '#api/meta/labels.ts'
import { milliValue } from '#api/meta/quantity.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import type { Client } from '#client/client.ts'
import { messageOf } from '../pod-from-template.ts'
import type { Sample, Samples } from './pod-samples.ts'

/** Where autoscalers get their figures from: the three metrics APIs, by whoever serves them behind the API server. */
export interface MetricsSource {
  /** What pods use of a resource, or one container of each; a pod without that container has no sample. */
  resource(query: PodQuery & { readonly resource: string; readonly container?: string }): Promise<Samples>
  pods(query: PodQuery & { readonly metric: Metric }): Promise<Samples>
  /** A figure of one object, in thousandths. */
  object(query: { readonly path: string; readonly metric: Metric }): Promise<number>
  /** The sum of all series of a metric that nobody in the cluster has, in thousandths. */
  external(query: { readonly namespace: string; readonly metric: Metric }): Promise<number>
}

export interface PodQuery {
  readonly namespace: string
  /** As text. */
  readonly selector: string
}

export interface Metric {
  readonly name: string
  readonly selector?: LabelSelector | undefined
}

interface PodMetrics {
  readonly metadata: { readonly name: string }
  readonly timestamp?: string
  readonly window?: string
  readonly containers: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[]
}

interface MetricValue {
  readonly describedObject: { readonly name: string }
  readonly timestamp?: string
  readonly windowSeconds?: number
  readonly value: string
}

interface ItemList<Item> {
  readonly items?: readonly Item[]
}

/** Custom metrics are asked for in the newest version first. */
const customVersions = ['v1beta2', 'v1beta1'] as const
const minuteMs = 60_000

export function metricsSource(client: Client): MetricsSource {
  const custom = async <Item>(path: string, query: Record<string, string>): Promise<readonly Item[]> => {
    const [newest, older] = customVersions
    const ask = (version: string) => list<Item>(client, `/apis/custom.metrics.k8s.io/${version}/${path}`, query)
    return ask(newest).catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
      return ask(older)
    })
  }
  return {
    async resource({ namespace, selector, resource, container }) {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
      const asked = list<PodMetrics>(client, path, { labelSelector: selector })
      const items = await telling(asked, `unable to get metrics for resource ${resource}`, 'resource', 'metrics.k8s.io')
      return new Map(items.map((item) => sampleOf(item, resource, container)).filter((sample) => sample !== undefined))
    },
    async pods({ namespace, selector, metric }) {
      const query = { labelSelector: selector, ...selectorOf(metric, 'metricLabelSelector') }
      const asked = custom<MetricValue>(`namespaces/${namespace}/pods/*/${encodeURIComponent(metric.name)}`, query)
      const items = await telling(asked, '', 'custom', 'custom.metrics.k8s.io')
      return new Map(items.map((item) => [item.describedObject.name, valueSample(item)]))
    },
    async object({ path, metric }) {
      const query = selectorOf(metric, 'metricLabelSelector')
      const asked = custom<MetricValue>(`${path}/${encodeURIComponent(metric.name)}`, query)
      const [item] = await telling(asked, '', 'custom', 'custom.metrics.k8s.io')
      if (item === undefined) throw new Error('no metrics returned from custom metrics API')
      return milliValue(item.value)
    },
    async external({ namespace, metric }) {
      const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(metric.name)}`
      const asked = list<MetricValue>(client, path, selectorOf(metric, 'labelSelector'))
      const items = await telling(asked, '', 'external', 'external.metrics.k8s.io')
      if (items.length === 0) throw new Error('no metrics returned from external metrics API')
      return items.reduce((sum, { value }) => sum + milliValue(value), 0)
    },
  }
}

/** Says which API had nothing to say, in the words that users of autoscalers know. */
async function telling<Answer>(asked: Promise<Answer>, what: string, api: string, group: string): Promise<Answer> {
  try {
    return await asked
  } catch (error) {
    const isMissing = isStatusError(error, 'NotFound')
    const why = isMissing ? `the server could not find the requested resource (${group})` : messageOf(error)
    const message = `unable to fetch metrics from ${api} metrics API: ${why}`
    throw new Error(what === '' ? message : `${what}: ${message}`, { cause: error })
  }
}

async function list<Item>(
  client: Client,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly Item[]> {
  const answer = (await client.raw({ method: 'GET', path, query })) as ItemList<Item>
  return answer.items ?? []
}

function selectorOf({ selector }: Metric, parameter: string): Record<string, string> {
  return selector === undefined ? {} : { [parameter]: formatLabelSelector(matcherOf(selector)) }
}

function sampleOf(item: PodMetrics, resource: string, container: string | undefined): [string, Sample] | undefined {
  const measured = item.containers.filter(({ name }) => container === undefined || name === container)
  if (measured.length === 0 || measured.some(({ usage }) => usage[resource] === undefined)) return undefined
  const milli = measured.reduce((sum, { usage }) => sum + milliValue(usage[resource] ?? '0'), 0)
  return [item.metadata.name, { milli, ...timesOf(item.timestamp, windowMs(item.window)) }]
}

function valueSample({ value, timestamp, windowSeconds }: MetricValue): Sample {
  return { milli: milliValue(value), ...timesOf(timestamp, (windowSeconds ?? minuteMs / 1_000) * 1_000) }
}

function timesOf(timestamp: string | undefined, window: number): Pick<Sample, 'timestampMs' | 'windowMs'> {
  return { timestampMs: Date.parse(timestamp ?? '') || 0, windowMs: window }
}

/** `1m30s` in milliseconds. */
function windowMs(text = '1m'): number {
  const units = { h: 3_600_000, m: minuteMs, s: 1_000, ms: 1 } as const
  const parts = [...text.matchAll(/([\d.]+)(h|ms|m|s)/g)]
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit as keyof typeof units], 0)
}
