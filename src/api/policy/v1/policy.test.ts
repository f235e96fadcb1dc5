import assert from 'node:assert/strict'
import { test } from 'node:test'
import { horizontalPodAutoscalerV1 } from '../../autoscaling/v1/horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscaler } from '../../autoscaling/v2/horizontal-pod-autoscaler.ts'
import { tryCreate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { HorizontalPodAutoscaler } from '../../types/autoscaling.v2.ts'
import { podDisruptionBudget } from './pod-disruption-budget.ts'

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }

const cases: readonly [Kind, object, readonly string[]][] = [
  [
    podDisruptionBudget,
    { minAvailable: 1, maxUnavailable: 1 },
    [
      'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    ],
  ],
  [
    podDisruptionBudget,
    { minAvailable: '120%' },
    ['spec.minAvailable: Invalid value: "120%": must not be greater than 100%'],
  ],
  [
    podDisruptionBudget,
    { maxUnavailable: -1, unhealthyPodEvictionPolicy: 'X' },
    [
      'spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0',
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "X": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
  [
    horizontalPodAutoscaler,
    { minReplicas: 5, maxReplicas: 3, scaleTargetRef: { kind: '', name: '' } },
    [
      'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
      'spec.scaleTargetRef.kind: Required value',
      'spec.scaleTargetRef.name: Required value',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    ],
  ],
  [
    horizontalPodAutoscaler,
    {
      minReplicas: 0,
      maxReplicas: 3,
      scaleTargetRef: { kind: 'Deployment', name: 'a' },
      metrics: [{ type: 'Resource' }],
    },
    [
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
      'spec.metrics[0].resource: Required value: must populate information for the given metric source',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
  ],
]

test('budgets and autoscalers are refused in the words of the API server', () => {
  for (const [kind, spec, expected] of cases) assert.deepEqual(tryCreate(kind, { spec }).messages, expected)
})

test('an autoscaler aims at 80 % of the CPU unless told otherwise', () => {
  const target = { type: 'Utilization', averageUtilization: 80 }
  const { spec, status } = tryCreate(horizontalPodAutoscaler, { spec: { maxReplicas: 3, scaleTargetRef } })
    .object as HorizontalPodAutoscaler
  assert.deepEqual([spec.minReplicas, spec.metrics], [1, [{ type: 'Resource', resource: { name: 'cpu', target } }]])
  assert.deepEqual(status, { desiredReplicas: 0, currentMetrics: null })
})

test('rules of behavior are filled in where some are given', () => {
  const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 }]
  const spec = { maxReplicas: 3, scaleTargetRef, behavior: { scaleDown: { policies } } }
  const { behavior } = (tryCreate(horizontalPodAutoscaler, { spec }).object as HorizontalPodAutoscaler).spec
  assert.deepEqual(behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: { selectPolicy: 'Max', policies },
  })
})

test('what an autoscaler measures is shown beside its target', () => {
  const nowMs = Date.parse('2024-01-01T00:05:00Z')
  const { object } = tryCreate(horizontalPodAutoscaler, { spec: { maxReplicas: 3, scaleTargetRef } })
  const current = { averageUtilization: 10 }
  const status = { desiredReplicas: 1, currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current } }] }
  const cells = horizontalPodAutoscaler.cells?.({ ...object, status } as never, nowMs)
  assert.deepEqual(cells, ['x', 'Deployment/d', 'cpu: 10%/80%', '1', 3, 0, '5m'])
  const old = tryCreate(horizontalPodAutoscalerV1, { spec: { maxReplicas: 3, scaleTargetRef } }).object
  assert.equal(horizontalPodAutoscalerV1.cells?.(old, nowMs)[2], 'cpu: <unknown>/80%')
})
