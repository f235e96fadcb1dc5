import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { writeNullForEmpty } from '../../meta/write-null.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
} from '../../types/autoscaling.v2.ts'
import { metricCells } from './metric-cells.ts'
import { validateAutoscaler, validateAutoscalerStatus } from './validate-autoscaler.ts'

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  hasGeneration: false,
  setDefaults: setAutoscalerDefaults,
  prepareForCreate(draft) {
    draft.status = { desiredReplicas: 0 }
    writeNullForEmpty(draft.status, 'currentMetrics')
  },
  validate: ({ spec }) => validateAutoscaler(spec),
  validateStatusUpdate: ({ status }) => validateAutoscalerStatus(status),
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    metricCells(spec.metrics ?? [], status?.currentMetrics ?? []),
    spec.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`,
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

/** Percent of the requested CPU that an autoscaler without metrics aims at. */
export const defaultCpuUtilization = 80
const periodSeconds = 15

function setAutoscalerDefaults(draft: Draft<HorizontalPodAutoscaler>): void {
  const spec = (draft.spec ??= {} as Draft<HorizontalPodAutoscalerSpec>)
  spec.minReplicas ??= 1
  if (draft.status !== undefined) writeNullForEmpty(draft.status, 'currentMetrics')
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: defaultCpuUtilization }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (spec.behavior === undefined) return
  setRuleDefaults((spec.behavior.scaleUp ??= {}), [
    { type: 'Pods', value: 4, periodSeconds },
    { type: 'Percent', value: 100, periodSeconds },
  ])
  spec.behavior.scaleUp.stabilizationWindowSeconds ??= 0
  setRuleDefaults((spec.behavior.scaleDown ??= {}), [{ type: 'Percent', value: 100, periodSeconds }])
}

function setRuleDefaults(
  rules: Draft<HPAScalingRules>,
  policies: NonNullable<Draft<HPAScalingRules>['policies']>,
): void {
  rules.selectPolicy ??= 'Max'
  rules.policies ??= policies
}
