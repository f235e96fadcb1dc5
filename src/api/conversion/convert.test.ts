import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '../meta/resource.ts'
import type * as autoscalingV1 from '../types/autoscaling.v1.ts'
import { convertObject } from './convert.ts'

const metadata = { name: 'h3', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
const v1 = { group: 'autoscaling', version: 'v1' }
const v2 = { group: 'autoscaling', version: 'v2' }

const autoscaler = {
  kind: 'HorizontalPodAutoscaler',
  apiVersion: 'autoscaling/v2',
  metadata: { ...metadata, annotations: { mine: 'kept' } },
  spec: {
    scaleTargetRef: { kind: 'ReplicationController', name: 'd' },
    minReplicas: 2,
    maxReplicas: 4,
    metrics: [
      { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '100m' } } },
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 }, container: 'c' },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
    },
  },
  status: { desiredReplicas: 0, currentReplicas: 0 },
} as unknown as KubernetesObject

test('an autoscaler v2 shows in v1 what v1 cannot say as annotations', () => {
  const converted = convertObject<autoscalingV1.HorizontalPodAutoscaler>(autoscaler, v1)
  assert.deepEqual(converted.metadata.annotations, {
    mine: 'kept',
    'autoscaling.alpha.kubernetes.io/behavior':
      '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}],"Tolerance":null}}',
    'autoscaling.alpha.kubernetes.io/metrics':
      '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"100m"}},{"type":"ContainerResource","containerResource":{"name":"cpu","targetAverageUtilization":50,"container":"c"}}]',
  })
  assert.deepEqual(converted.spec, {
    scaleTargetRef: { kind: 'ReplicationController', name: 'd' },
    minReplicas: 2,
    maxReplicas: 4,
  })
  assert.deepEqual(convertObject(converted, v2), autoscaler)
})

test('average CPU utilization is a field of v1', () => {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, targetCPUUtilizationPercentage: 80 }
  const simple = {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec,
    status: { currentReplicas: 1, desiredReplicas: 1 },
  }
  const converted = convertObject<KubernetesObject & { spec: object }>(simple, v2)
  assert.deepEqual(converted.spec, {
    scaleTargetRef: { kind: 'Deployment', name: 'd' },
    maxReplicas: 3,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  })
  assert.deepEqual(convertObject(converted, v1), simple)
})

test('every metric survives the way to v1 and back', () => {
  const describedObject = { kind: 'Service', name: 's' }
  const metric = { name: 'm', selector: { matchLabels: { a: 'b' } } }
  const metrics = [
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
    { type: 'Object', object: { describedObject, metric, target: { type: 'Value', value: '5' } } },
    { type: 'Object', object: { describedObject, metric, target: { type: 'AverageValue', averageValue: '5' } } },
    { type: 'External', external: { metric, target: { type: 'Value', value: '5' } } },
    { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: '5' } } },
  ]
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, metrics }
  const object = { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2', metadata, spec }
  assert.deepEqual(convertObject(convertObject(object, v1), v2), object)
})

test('events go from one group to the other and back', () => {
  const event = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata,
    involvedObject: { kind: 'Pod', name: 'p' },
    reason: 'Foo',
    message: 'hello',
    type: 'Warning',
    count: 3,
    source: { component: 'c' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    reportingComponent: 'c',
  }
  const converted = convertObject(event, { group: 'events.k8s.io', version: 'v1' })
  assert.deepEqual(converted, {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata,
    regarding: { kind: 'Pod', name: 'p' },
    reason: 'Foo',
    note: 'hello',
    type: 'Warning',
    deprecatedCount: 3,
    deprecatedSource: { component: 'c' },
    deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
    deprecatedLastTimestamp: '2026-01-01T00:00:00Z',
    reportingController: 'c',
  })
  assert.deepEqual(convertObject(converted, { group: '', version: 'v1' }), { ...event, reportingInstance: '' })
  assert.equal(convertObject(event, { group: '', version: 'v1' }), event)
  assert.throws(() => convertObject(event, v1), RangeError)
})
