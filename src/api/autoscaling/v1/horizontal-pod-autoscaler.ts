import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from '../../types/autoscaling.v1.ts'
import { defaultCpuUtilization } from '../v2/horizontal-pod-autoscaler.ts'
import { metricCells } from '../v2/metric-cells.ts'
import { validateAutoscaler, validateAutoscalerStatus } from '../v2/validate-autoscaler.ts'
import type { MetricSpec } from '../../types/autoscaling.v2.ts'

const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics'

/** The one metric of this version, as the newer one writes it. */
function cpuMetrics({ targetCPUUtilizationPercentage: averageUtilization }: HorizontalPodAutoscalerSpec): MetricSpec[] {
  if (averageUtilization === undefined) return []
  return [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }]
}

/** The older form, which knows one metric: the CPU. */
export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  hasGeneration: false,
  setDefaults(draft) {
    const spec = (draft.spec ??= {} as Draft<HorizontalPodAutoscalerSpec>)
    spec.minReplicas ??= 1
    if (draft.metadata.annotations?.[metricsAnnotation] === undefined) {
      spec.targetCPUUtilizationPercentage ??= defaultCpuUtilization
    }
  },
  prepareForCreate: (draft) => void (draft.status = { currentReplicas: 0, desiredReplicas: 0 }),
  validate: ({ spec }) => validateAutoscaler({ ...spec, metrics: cpuMetrics(spec) }),
  validateStatusUpdate: ({ status }) => validateAutoscalerStatus(status),
  cells: ({ metadata, spec, status }, nowMs) => {
    const target = { type: 'Utilization', averageUtilization: spec.targetCPUUtilizationPercentage }
    const current = { averageUtilization: status?.currentCPUUtilizationPercentage }
    return [
      metadata.name,
      `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
      metricCells(
        [{ type: 'Resource', resource: { name: 'cpu', target } }],
        [{ type: 'Resource', resource: { name: 'cpu', current } }],
      ),
      spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`,
      spec.maxReplicas,
      status?.currentReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
    ]
  },
})
