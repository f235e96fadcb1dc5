import { formatQuantity } from '#api/meta/quantity.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { notFound, StatusError } from '#api/meta/status.ts'
import { nodes, pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { hasKubelet, metricsVersion } from './metrics-version.ts'
import type { ClusterUsage, Usage } from './usage.ts'
import { UsageMeter } from './usage-meter.ts'

/** One question to the API of resource metrics, already allowed. */
export interface MetricsQuestion {
  readonly verb: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly labelSelector: string
  readonly fieldSelector: string
}

export interface ResourceMetricsOptions {
  /** Lists nodes and pods, and reaches kubelets through the API server. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
}

/** How long one kubelet may take. */
const scrapeTimeoutMs = 10_000

/** Answers what `kubectl top` and autoscalers ask, from what kubelets measure. The answer rejects with a StatusError. */
export function resourceMetrics({ client, clock, log }: ResourceMetricsOptions) {
  const meter = new UsageMeter({
    clock,
    log,
    async nodes() {
      const { items } = await client.resource(nodes).list({ resourceVersion: '0' })
      return items.filter(hasKubelet).map(({ metadata }) => metadata.name)
    },
    async scrape(node) {
      const path = `/api/v1/nodes/${node}/proxy/metrics/resource`
      const signal = AbortSignal.timeout(scrapeTimeoutMs)
      return textOf(await client.raw({ method: 'GET', path, signal }))
    },
  })
  return async (question: MetricsQuestion): Promise<object> => {
    const { resource, verb } = question
    const view = views[resource]
    if (view === undefined) throw new StatusError('NotFound', 'the server could not find the requested resource')
    if (verb !== 'get' && verb !== 'list') {
      throw new StatusError('MethodNotAllowed', `${verb} is not supported on resources of kind "${resource}"`)
    }
    const objects = await find(client, view, question)
    const usage = objects.length === 0 ? nothing : await meter.read()
    const items = objects.flatMap((object) => view.metricsOf(object, usage, clock.now()) ?? [])
    if (verb === 'list') return { kind: `${view.kind}List`, apiVersion, metadata: {}, items }
    const [item] = items
    if (item === undefined) throw missing(view, question)
    return { kind: view.kind, apiVersion, ...item }
  }
}

/** Longest page of a node that is read. */
const pageBytesMax = 16 * 1_024 * 1_024

/** What passes through the server comes as text or as chunks of it, by how the client reaches the server. */
async function textOf(page: unknown): Promise<string> {
  if (typeof page === 'string') return page
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of page as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > pageBytesMax) throw new Error('the page is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const apiVersion = `${metricsVersion.group}/${metricsVersion.version}`
const nothing: ClusterUsage = { nodes: new Map(), pods: new Map() }

interface View {
  readonly kind: string
  readonly of: Resource<KubernetesObject>
  /** Undefined: nothing is known of it. */
  metricsOf(object: KubernetesObject, usage: ClusterUsage, nowMs: number): object | undefined
}

const views: Readonly<Record<string, View>> = {
  nodes: {
    kind: 'NodeMetrics',
    of: nodes as Resource,
    metricsOf({ metadata }, usage, nowMs) {
      const used = usage.nodes.get(metadata.name)
      return used && { metadata: metadataOf(metadata, nowMs), ...spanOf(used), usage: amountsOf(used) }
    },
  },
  pods: {
    kind: 'PodMetrics',
    of: pods as Resource,
    metricsOf({ metadata }, usage, nowMs) {
      const used = [...(usage.pods.get(`${metadata.namespace}/${metadata.name}`) ?? [])]
      const earliest = used.map(([, each]) => each).toSorted((a, b) => a.timeMs - b.timeMs)[0]
      if (earliest === undefined) return undefined
      const containers = used.map(([name, each]) => ({ name, usage: amountsOf(each) }))
      return { metadata: metadataOf(metadata, nowMs), ...spanOf(earliest), containers }
    },
  },
}

async function find(client: Client, view: View, question: MetricsQuestion): Promise<readonly KubernetesObject[]> {
  const { verb, name, namespace, labelSelector, fieldSelector } = question
  const collection = client.resource(view.of, namespace === '' ? undefined : namespace)
  if (verb === 'get') {
    const object = await collection.get(name).catch((error: unknown) => {
      if (error instanceof StatusError && error.reason === 'NotFound') throw missing(view, question)
      throw error
    })
    return [object]
  }
  const { items } = await collection.list({ labelSelector, fieldSelector, resourceVersion: '0' })
  return items
}

function missing({ kind }: View, { name, namespace }: MetricsQuestion): StatusError {
  const full = namespace === '' ? name : `${namespace}/${name}`
  return notFound({ group: metricsVersion.group, resource: kind.toLowerCase(), name: full })
}

function metadataOf({ name, namespace, labels }: KubernetesObject['metadata'], nowMs: number): object {
  return { name, ...(namespace && { namespace }), creationTimestamp: formatTime(nowMs), ...(labels && { labels }) }
}

/** The window as Go writes durations, to the millisecond. */
function spanOf({ timeMs, windowMs }: Usage): object {
  const minutes = Math.floor(windowMs / 60_000)
  const seconds = `${Math.round(windowMs % 60_000) / 1_000}s`
  return { timestamp: formatTime(timeMs), window: minutes === 0 ? seconds : `${minutes}m${seconds}` }
}

function amountsOf({ cpuCores, memoryBytes }: Usage): object {
  const cpu = formatQuantity({ nanos: BigInt(Math.round(cpuCores * 1e9)), format: 'DecimalSI' })
  const memory = formatQuantity({ nanos: BigInt(Math.round(memoryBytes)) * 1_000_000_000n, format: 'BinarySI' })
  return { cpu, memory }
}
