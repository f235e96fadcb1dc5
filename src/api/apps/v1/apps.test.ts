import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { DaemonSet, Deployment, StatefulSet } from '../../types/apps.v1.ts'
import { controllerRevision } from './controller-revision.ts'
import { daemonSet } from './daemon-set.ts'
import { rollingLimits, isRolledOut } from './deployment-facts.ts'
import { deployment } from './deployment.ts'
import { replicaSet } from './replica-set.ts'
import { statefulSet } from './stateful-set.ts'

const selector = { matchLabels: { app: 'x' } }
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }

function complaints(kind: Kind, spec: object): readonly string[] {
  return tryCreate(kind, { spec: { replicas: 0, selector, template, ...spec } }).messages
}

const refusedDeployments: readonly [object, readonly string[]][] = [
  [
    { selector: { matchLabels: { app: 'other' } } },
    ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`'],
  ],
  [{ selector: {} }, ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
  [
    { selector: undefined },
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
    ],
  ],
  [
    { template: { ...template, spec: { ...template.spec, restartPolicy: 'OnFailure' } } },
    ['spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"'],
  ],
  [{ replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
  [
    { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  ],
  [
    { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
  ],
  [
    { strategy: { type: 'Blue' } },
    [
      'spec.strategy: Unsupported value: {"Type":"Blue","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
    ],
  ],
  [
    { minReadySeconds: 700 },
    ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
  ],
  [
    { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"In"}]}: invalid label selector',
    ],
  ],
]

test('a Deployment is refused in the words of the API server', () => {
  for (const [spec, expected] of refusedDeployments) assert.deepEqual(complaints(deployment, spec), expected)
})

test('a Deployment is filled in', () => {
  const { object } = tryCreate(deployment, { spec: { selector, template } })
  const { template: _, selector: _selector, ...rest } = (object as Deployment).spec
  assert.deepEqual(rest, {
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  })
})

test('the selector of a Deployment stays', () => {
  const created = tryCreate(deployment, { spec: { selector, template } })
  const { messages } = tryUpdate<Deployment>(deployment, created, ({ spec }) => {
    spec.selector = { matchLabels: { app: 'x', z: 'y' } }
    spec.template.metadata = { labels: { app: 'x', z: 'y' } }
  })
  assert.deepEqual(messages, ['spec.selector: Invalid value: {"matchLabels":{"app":"x","z":"y"}}: field is immutable'])
})

test('other workloads', () => {
  const cases: readonly [Kind, object, readonly string[]][] = [
    [
      statefulSet,
      { updateStrategy: { type: 'Recreate' }, podManagementPolicy: 'X' },
      [
        `spec.podManagementPolicy: Invalid value: "X": must be 'OrderedReady' or 'Parallel'`,
        `spec.updateStrategy: Invalid value: {"Type":"Recreate","RollingUpdate":null}: must be 'RollingUpdate' or 'OnDelete'`,
      ],
    ],
    [
      daemonSet,
      {
        template: { ...template, spec: { ...template.spec, activeDeadlineSeconds: 4 } },
        updateStrategy: { rollingUpdate: { maxUnavailable: 0 } },
      },
      [
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
      ],
    ],
    [
      replicaSet,
      { template: { ...template, metadata: { labels: { b: 'c' } } } },
      ['spec.template.metadata.labels: Invalid value: {"b":"c"}: `selector` does not match template `labels`'],
    ],
  ]
  for (const [kind, spec, expected] of cases) assert.deepEqual(complaints(kind, spec), expected, kind.kind)
  assert.deepEqual(tryCreate(controllerRevision, { revision: -1 }).messages, [
    'revision: Invalid value: -1: must be greater than or equal to 0',
    'data: Required value: data is mandatory',
  ])
})

test('most of a StatefulSet stays', () => {
  const created = tryCreate(statefulSet, { spec: { serviceName: 'a', selector, template } })
  const scaled = tryUpdate<StatefulSet>(statefulSet, created, ({ spec }) => void (spec.replicas = 5))
  assert.deepEqual(scaled.messages, [])
  const moved = tryUpdate<StatefulSet>(statefulSet, created, ({ spec }) => void (spec.serviceName = 'b'))
  assert.deepEqual(moved.messages, [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ])
})

test('the limits of a rolling update in pods', () => {
  const limits = (replicas: number, rollingUpdate: object): object => {
    const spec = { replicas, selector, template, strategy: { rollingUpdate } }
    return rollingLimits(tryCreate(deployment, { spec }).object as Deployment)
  }
  assert.deepEqual(limits(10, {}), { maxSurge: 3, maxUnavailable: 2 })
  assert.deepEqual(limits(1, {}), { maxSurge: 1, maxUnavailable: 0 })
  assert.deepEqual(limits(3, { maxSurge: 0, maxUnavailable: '10%' }), { maxSurge: 0, maxUnavailable: 1 })
  assert.deepEqual(limits(3, { maxSurge: 2, maxUnavailable: 5 }), { maxSurge: 2, maxUnavailable: 3 })
})

test('a rollout is done when every pod is new and available, for the latest spec', () => {
  const { object } = tryCreate(deployment, { metadata: { generation: 2 }, spec: { replicas: 2, selector, template } })
  const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
  const at = (status: Deployment['status']): boolean => isRolledOut({ ...(object as Deployment), status })
  assert.equal(at(done), true)
  assert.equal(at({ ...done, observedGeneration: 1 }), false)
  assert.equal(at({ ...done, replicas: 3 }), false)
  assert.equal(at({ ...done, availableReplicas: 1 }), false)
})

test('columns of workloads', () => {
  const nowMs = Date.parse('2024-01-01T00:05:00Z')
  const { object } = tryCreate(deployment, { spec: { replicas: 3, selector, template } })
  const status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 }
  assert.deepEqual(deployment.cells?.({ ...object, status } as never, nowMs), [
    'x',
    '2/3',
    3,
    2,
    '5m',
    'c',
    'x:1',
    'app=x',
  ])
  const set = tryCreate(replicaSet, { spec: { replicas: 3, selector, template } }).object
  assert.deepEqual(replicaSet.cells?.(set, nowMs), ['x', 3, 0, 0, '5m', 'c', 'x:1', 'app=x'])
})

test('a DaemonSet counts its templates in an annotation', () => {
  const key = 'deprecated.daemonset.template.generation'
  const created = tryCreate(daemonSet, { spec: { selector, template } })
  assert.equal(created.object.metadata.annotations?.[key], '1')
  const relabelled = tryUpdate<DaemonSet>(daemonSet, created, ({ spec }) => void (spec.minReadySeconds = 3))
  assert.equal(relabelled.object.metadata.annotations?.[key], '1')
  const changed = tryUpdate<DaemonSet>(daemonSet, created, (draft) => {
    draft.metadata.annotations = {}
    draft.spec.template.spec.hostNetwork = true
  })
  assert.equal(changed.object.metadata.annotations?.[key], '2')
})

test('a StatefulSet drops what is switched off, and has a name that pods can have', () => {
  const { object } = tryCreate(statefulSet, {
    spec: { selector, template, updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } },
  })
  assert.deepEqual((object as StatefulSet).spec.updateStrategy?.rollingUpdate, { partition: 0 })
  assert.deepEqual(tryCreate(statefulSet, { metadata: { name: 'a.b' }, spec: { selector, template } }).messages, [
    'metadata.name: Invalid value: "a.b": must not contain dots',
  ])
})

test('counts of a workload that cannot be', () => {
  const made = tryCreate(statefulSet, { spec: { selector, template } }).object
  const status = { replicas: 1, readyReplicas: 2, collisionCount: -1 }
  const messages = statefulSet.validateStatusUpdate?.({ ...made, status } as never, made, 0)
  assert.deepEqual(
    messages?.map(({ field, message }) => `${field}: ${message}`),
    [
      'status.collisionCount: Invalid value: -1: must be greater than or equal to 0',
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    ],
  )
})
