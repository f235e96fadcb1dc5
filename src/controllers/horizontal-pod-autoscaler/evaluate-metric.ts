import { isPodReady } from '#api/core/v1/pod-facts.ts'
import { milliValue, quantityOfMilli } from '#api/meta/quantity.ts'
import type { MetricSpec, MetricStatus, MetricTarget } from '#api/types/autoscaling.v2.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { MetricsSource } from './metrics-source.ts'
import { sortSamples, type Samples } from './pod-samples.ts'
import {
  MetricError,
  proposeByPods,
  proposeByShare,
  proposeByValue,
  type PodMetricGoal,
  type Requests,
  type Tolerance,
} from './proposal.ts'

/** What one metric says. */
export interface Evaluation {
  readonly replicas: number
  /** As the autoscaler's events and conditions name the metric. */
  readonly name: string
  readonly status: MetricStatus
}

/** All that the evaluation of a metric needs. */
export interface Workload {
  readonly namespace: string
  readonly selector: string
  /** The pods that the selector finds. */
  readonly pods: readonly Pod[]
  /** Replicas that the scale asks for, and those that it reports. */
  readonly currentReplicas: number
  readonly statusReplicas: number
  readonly tolerance: Tolerance
  readonly source: MetricsSource
  /** Path of the custom metrics of an object, below the API's version; throws a MetricError for an unknown kind. */
  readonly objectPath: (reference: NonNullable<MetricSpec['object']>['describedObject']) => string
  readonly nowMs: number
}

/** Asks for the metric and works out how many replicas it calls for. Throws when it cannot be had. */
export async function evaluateMetric(spec: MetricSpec, workload: Workload): Promise<Evaluation> {
  switch (spec.type) {
    case 'Resource':
      if (spec.resource !== undefined) return byResource('resource', { ...spec.resource }, workload)
      break
    case 'ContainerResource':
      if (spec.containerResource !== undefined) return byResource('containerResource', spec.containerResource, workload)
      break
    case 'Pods':
      if (spec.pods !== undefined) return byPodMetric(spec.pods, workload)
      break
    case 'Object':
      if (spec.object !== undefined) return byObject(spec.object, workload)
      break
    case 'External':
      if (spec.external !== undefined) return byExternal(spec.external, workload)
      break
    default:
  }
  throw new MetricError(`unknown metric source type "${spec.type}"`)
}

interface ResourceMetric {
  readonly name: string
  readonly container?: string
  readonly target: MetricTarget
}

async function byResource(
  kind: 'resource' | 'containerResource',
  { name: resource, container, target }: ResourceMetric,
  workload: Workload,
): Promise<Evaluation> {
  const { namespace, selector, pods } = workload
  const query = { namespace, selector, resource, ...(container !== undefined && { container }) }
  const samples = await workload.source.resource(query)
  if (samples.size === 0) throw new MetricError('no metrics returned from resource metrics API')
  const wanted = await goalOf(samples, workload, resource === 'cpu')
  const title = `${resource} ${container === undefined ? '' : 'container '}resource`
  const byRequest = target.averageUtilization
  const goal: PodMetricGoal =
    byRequest === undefined
      ? { ...wanted, target: { averageMilli: milliValue(target.averageValue ?? '0') } }
      : { ...wanted, target: { utilization: byRequest, requests: requestsOf(pods, resource, container) } }
  const { replicas, averageMilli, utilization } = proposeByPods(goal)
  const averageValue = quantityOfMilli(averageMilli)
  const current = { averageValue, ...(utilization !== undefined && { averageUtilization: utilization }) }
  const shown = { name: resource, current }
  const status =
    kind === 'resource'
      ? { type: 'Resource', resource: shown }
      : { type: 'ContainerResource', containerResource: { ...shown, container: container ?? '' } }
  return { replicas, status, name: utilization === undefined ? title : `${title} utilization (percentage of request)` }
}

async function goalOf(samples: Samples, { pods, currentReplicas, tolerance, nowMs }: Workload, isCpu: boolean) {
  if (pods.length === 0) throw new MetricError('no pods returned by selector while calculating replica count')
  return { pods: sortSamples(pods, samples, isCpu, nowMs), currentReplicas, tolerance }
}

/** Percentages need to know the whole: one container without a request makes them meaningless. */
function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): Requests {
  return new Map(pods.map((pod) => [pod.metadata.name, requestOf(pod, resource, container)]))
}

function requestOf(pod: Pod, resource: string, only: string | undefined): number {
  const ofPod = only === undefined ? pod.spec.resources?.requests?.[resource] : undefined
  if (ofPod !== undefined) return milliValue(ofPod)
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  let total = 0
  for (const { name, resources } of [...pod.spec.containers, ...sidecars]) {
    if (only !== undefined && name !== only) continue
    const request = resources?.requests?.[resource]
    if (request === undefined) {
      throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`)
    }
    total += milliValue(request)
  }
  return total
}

async function byPodMetric(
  { metric, target }: NonNullable<MetricSpec['pods']>,
  workload: Workload,
): Promise<Evaluation> {
  const { namespace, selector } = workload
  const samples = await workload.source.pods({ namespace, selector, metric })
  const goal = await goalOf(samples, workload, false)
  const wanted = { averageMilli: milliValue(target.averageValue ?? '0') }
  const { replicas, averageMilli } = proposeByPods({ ...goal, target: wanted })
  const current = { averageValue: quantityOfMilli(averageMilli) }
  return { replicas, name: `pods metric ${metric.name}`, status: { type: 'Pods', pods: { metric, current } } }
}

async function byObject(
  { metric, target, describedObject }: NonNullable<MetricSpec['object']>,
  workload: Workload,
): Promise<Evaluation> {
  const milli = await workload.source.object({ path: workload.objectPath(describedObject), metric })
  const { replicas, current } = byFigure(milli, target, workload)
  const status = { type: 'Object', object: { metric, describedObject, current } }
  return { replicas, status, name: `${describedObject.kind} metric ${metric.name}` }
}

async function byExternal(
  { metric, target }: NonNullable<MetricSpec['external']>,
  workload: Workload,
): Promise<Evaluation> {
  const milli = await workload.source.external({ namespace: workload.namespace, metric })
  const { replicas, current } = byFigure(milli, target, workload)
  const selector = metric.selector === undefined ? 'nil' : JSON.stringify(metric.selector)
  return {
    replicas,
    name: `external metric ${metric.name}(${selector})`,
    status: { type: 'External', external: { metric, current } },
  }
}

/** A figure for the whole workload: held against a target for the whole, or against one for each replica. */
function byFigure(milli: number, target: MetricTarget, { currentReplicas, statusReplicas, pods, tolerance }: Workload) {
  if (target.averageValue !== undefined) {
    const targetMilli = milliValue(target.averageValue)
    const replicas = proposeByShare(milli, { targetMilli, statusReplicas, tolerance })
    const averageValue = quantityOfMilli(statusReplicas === 0 ? milli : Math.ceil(milli / statusReplicas))
    return { replicas, current: { averageValue } }
  }
  const readyPods = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length
  const replicas = proposeByValue(milli / milliValue(target.value ?? '0'), { currentReplicas, readyPods, tolerance })
  return { replicas, current: { value: quantityOfMilli(milli) } }
}
