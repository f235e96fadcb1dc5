import type { KubernetesObject } from '../meta/resource.ts'
import type * as autoscalingV1 from '../types/autoscaling.v1.ts'
import type * as autoscalingV2 from '../types/autoscaling.v2.ts'
import type { ObjectMeta } from '../types/meta.v1.ts'
import { behaviorFromAnnotation, behaviorToAnnotation } from './autoscaling-behavior.ts'
import { flatMetric, metricFromFlat, type FlatMetric } from './autoscaling-metrics.ts'

/**
 * Horizontal pod autoscalers: v1 knows one target, the average CPU utilization. Everything else that v2 can say travels
 * in annotations, which are taken back on the way to v2.
 */
const annotationOf = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

const ownAnnotations: ReadonlySet<string> = new Set(Object.values(annotationOf))

type Condition = autoscalingV2.HorizontalPodAutoscalerCondition

export function horizontalPodAutoscalerToV1(object: KubernetesObject): autoscalingV1.HorizontalPodAutoscaler {
  const { metadata, spec, status } = object as autoscalingV2.HorizontalPodAutoscaler
  const cpu = spec.metrics?.find(isCpuUtilization)
  const otherMetrics = spec.metrics?.filter((metric) => metric !== cpu)
  const currentCpu = status?.currentMetrics?.find(
    (metric) => isCpu(metric) && metric.resource?.current.averageUtilization !== undefined,
  )
  const annotations = {
    ...metadata.annotations,
    ...listAnnotation(
      annotationOf.metrics,
      otherMetrics?.map((metric) => flatMetric(metric, 'target')),
    ),
    ...listAnnotation(
      annotationOf.currentMetrics,
      status?.currentMetrics?.map((metric) => flatMetric(metric, 'current')),
    ),
    ...listAnnotation(annotationOf.conditions, status?.conditions),
    ...(spec.behavior && { [annotationOf.behavior]: behaviorToAnnotation(spec.behavior) }),
  }
  const { metrics: _metrics, behavior: _behavior, ...restOfSpec } = spec
  const utilization = cpu?.resource?.target.averageUtilization
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: withAnnotations(metadata, annotations),
    spec: { ...restOfSpec, ...(utilization !== undefined && { targetCPUUtilizationPercentage: utilization }) },
    ...(status && { status: statusToV1(status, currentCpu?.resource?.current.averageUtilization) }),
  }
}

function statusToV1(
  status: autoscalingV2.HorizontalPodAutoscalerStatus,
  utilization: number | undefined,
): autoscalingV1.HorizontalPodAutoscalerStatus {
  const { currentMetrics: _metrics, conditions: _conditions, ...rest } = status
  return {
    ...rest,
    currentReplicas: status.currentReplicas ?? 0,
    ...(utilization !== undefined && { currentCPUUtilizationPercentage: utilization }),
  }
}

export function horizontalPodAutoscalerToV2(object: KubernetesObject): autoscalingV2.HorizontalPodAutoscaler {
  const { metadata, spec, status } = object as autoscalingV1.HorizontalPodAutoscaler
  const { targetCPUUtilizationPercentage: utilization, ...restOfSpec } = spec
  const { annotations = {} } = metadata
  const others = parseList<FlatMetric>(annotations[annotationOf.metrics]).map((metric) =>
    metricFromFlat(metric, 'target'),
  )
  const metrics = [
    ...(utilization === undefined ? [] : [cpuMetric(utilization)]),
    ...(others as autoscalingV2.MetricSpec[]),
  ]
  const behavior = behaviorFromAnnotation(annotations[annotationOf.behavior])
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !ownAnnotations.has(key)))
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: withAnnotations(metadata, kept),
    spec: { ...restOfSpec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    ...(status && { status: statusToV2(status, annotations) }),
  }
}

function statusToV2(
  status: autoscalingV1.HorizontalPodAutoscalerStatus,
  annotations: Readonly<Record<string, string>>,
): autoscalingV2.HorizontalPodAutoscalerStatus {
  const { currentCPUUtilizationPercentage: _cpu, ...rest } = status
  const flat = parseList<FlatMetric>(annotations[annotationOf.currentMetrics])
  const currentMetrics = flat.map((metric) => metricFromFlat(metric, 'current') as autoscalingV2.MetricStatus)
  const conditions = parseList<Condition>(annotations[annotationOf.conditions])
  return { ...rest, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions.length > 0 && { conditions }) }
}

function isCpu(metric: { readonly type: string; readonly resource?: { readonly name: string } | undefined }): boolean {
  return metric.type === 'Resource' && metric.resource?.name === 'cpu'
}

function isCpuUtilization(metric: autoscalingV2.MetricSpec): boolean {
  return isCpu(metric) && metric.resource?.target.averageUtilization !== undefined
}

function cpuMetric(averageUtilization: number): autoscalingV2.MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }
}

function listAnnotation(key: string, list: readonly unknown[] | undefined): Record<string, string> {
  return list && list.length > 0 ? { [key]: JSON.stringify(list) } : {}
}

/** What a user wrote into the annotation by hand may be anything; it is then left alone. */
function parseList<T>(text: string | undefined): readonly T[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) ? (list as readonly T[]) : []
  } catch {
    return []
  }
}

function withAnnotations(metadata: ObjectMeta, annotations: Readonly<Record<string, string>>): ObjectMeta {
  const { annotations: _old, ...rest } = metadata
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest
}
