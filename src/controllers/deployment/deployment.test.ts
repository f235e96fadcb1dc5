import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet } from '#api/types/apps.v1.ts'
import { annotationsForCurrent } from './annotations.ts'
import { decideCleanup, decideRollingStep } from './decide.ts'
import { findCurrent } from './rollout-facts.ts'
import { decideScaling, isScalingEvent } from './scale.ts'
import { decideStatus, findCondition, pauseConditions, stuckCheckMs, withProgress } from './status.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

function template(image: string, labels: Record<string, string> = {}) {
  return { metadata: { labels: { app: 'web', ...labels } }, spec: { containers: [{ name: 'c', image }] } }
}

function deployment(spec: Partial<DeploymentSpec> = {}, status?: DeploymentStatus): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'd',
      resourceVersion: '1',
      creationTimestamp: '',
      generation: 2,
    },
    spec: { replicas: 10, selector: { matchLabels: { app: 'web' } }, template: template('new'), ...spec },
    ...(status && { status }),
  } as unknown as Deployment
}

interface SetFacts {
  readonly replicas: number
  readonly available?: number
  readonly image?: string
  readonly created?: string
  readonly annotations?: Readonly<Record<string, string>>
}

function replicaSet(
  name: string,
  { replicas, available = replicas, image = 'old', created = '1', annotations = {} }: SetFacts,
): ReplicaSet {
  const size = { 'deployment.kubernetes.io/desired-replicas': '10', 'deployment.kubernetes.io/max-replicas': '13' }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: created,
      generation: 1,
      annotations: { ...size, ...annotations },
    },
    spec: { replicas, selector: {}, template: template(image, { 'pod-template-hash': name }) },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  } as unknown as ReplicaSet
}

function rolling(maxSurge: number | string, maxUnavailable: number | string): Partial<DeploymentSpec> {
  return { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } }
}

const steps: readonly {
  readonly name: string
  readonly spec?: Partial<DeploymentSpec>
  readonly current: SetFacts
  readonly old: readonly SetFacts[]
  readonly expected: Readonly<Record<string, number>>
}[] = [
  {
    name: 'pods that an old set is about to lose are not counted on',
    spec: { replicas: 4, ...rolling(1, 0) },
    current: { replicas: 2 },
    old: [{ replicas: 3, available: 4 }],
    expected: { old0: 2 },
  },
  {
    name: 'the current set grows by the surge',
    current: { replicas: 0 },
    old: [{ replicas: 10 }],
    expected: { current: 3 },
  },
  {
    name: 'old pods go as far as unavailability allows',
    current: { replicas: 3, available: 0 },
    old: [{ replicas: 10 }],
    expected: { old0: 8 },
  },
  {
    name: 'nothing moves while new pods start and nothing more may go',
    current: { replicas: 5, available: 0 },
    old: [{ replicas: 8 }],
    expected: {},
  },
  {
    name: 'available new pods let old ones go',
    current: { replicas: 5, available: 5 },
    old: [{ replicas: 8 }],
    expected: { old0: 3 },
  },
  {
    name: 'old pods that are not available go first',
    current: { replicas: 3, available: 0 },
    old: [
      { replicas: 2, available: 2 },
      { replicas: 8, available: 6 },
    ],
    expected: { old1: 6 },
  },
  {
    name: 'a current set that is too large shrinks at once',
    current: { replicas: 12 },
    old: [],
    expected: { current: 10 },
  },
  {
    name: 'with no unavailability old pods wait for new ones',
    spec: rolling(1, 0),
    current: { replicas: 1, available: 0 },
    old: [{ replicas: 10 }],
    expected: {},
  },
  {
    name: 'with no surge old pods go first',
    spec: rolling(0, 1),
    current: { replicas: 0 },
    old: [{ replicas: 10 }],
    expected: { old0: 9 },
  },
  {
    name: 'neither surge nor unavailability still moves by one',
    spec: rolling(0, '1%'),
    current: { replicas: 0 },
    old: [{ replicas: 10 }],
    expected: { old0: 9 },
  },
  { name: 'a finished rollout stays', current: { replicas: 10 }, old: [{ replicas: 0 }], expected: {} },
]

for (const { name, spec, current, old, expected } of steps) {
  test(name, () => {
    const sets = old.map((facts, index) => replicaSet(`old${index}`, { ...facts, created: String(index) }))
    const scalings = decideRollingStep(deployment(spec ?? rolling('25%', '25%')), replicaSet('current', current), sets)
    const sizes = Object.fromEntries(scalings.map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas]))
    assert.deepEqual(sizes, expected)
  })
}

test('scaling in the middle of a rollout is shared in proportion, the rest to the largest', () => {
  const larger = deployment({ replicas: 15, ...rolling(5, 2) })
  const [a, b] = [replicaSet('a', { replicas: 5 }), replicaSet('b', { replicas: 8 })]
  assert.ok(isScalingEvent(larger, [a, b]))
  const sizes = decideScaling(larger, b, [a]).map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas])
  assert.deepEqual(sizes, [
    ['b', 12],
    ['a', 8],
  ])
  assert.ok(!isScalingEvent(deployment(), [a, b]))
})

test('scaling to nothing, a single set, and a saturated one', () => {
  const [a, b] = [replicaSet('a', { replicas: 5 }), replicaSet('b', { replicas: 8 })]
  const sizes = (wanted: Deployment, current: ReplicaSet, old: ReplicaSet[]) =>
    decideScaling(wanted, current, old).map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas])
  assert.deepEqual(sizes(deployment({ replicas: 0 }), b, [a]), [
    ['b', 0],
    ['a', 0],
  ])
  assert.deepEqual(sizes(deployment({ replicas: 4 }), b, [replicaSet('a', { replicas: 0 })]), [['b', 4]])
  assert.deepEqual(sizes(deployment(), replicaSet('b', { replicas: 10 }), [a]), [['a', 0]])
})

test('the current set is the oldest with the template, whatever its hash label', () => {
  const sets = [
    replicaSet('later', { replicas: 0, image: 'new', created: '3' }),
    replicaSet('first', { replicas: 0, image: 'new', created: '2' }),
    replicaSet('other', { replicas: 0, image: 'old', created: '1' }),
  ]
  assert.equal(findCurrent(deployment(), sets)?.metadata.name, 'first')
})

test('a set that becomes current again takes the next revision and remembers its old one', () => {
  const set = replicaSet('a', { replicas: 0, annotations: { 'deployment.kubernetes.io/revision': '1' } })
  const annotated = deployment()
  const owner = {
    ...annotated,
    metadata: {
      ...annotated.metadata,
      annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
  }
  const annotations = annotationsForCurrent(owner, set, 3)
  assert.equal(annotations['deployment.kubernetes.io/revision'], '3')
  assert.equal(annotations['deployment.kubernetes.io/revision-history'], '1')
  assert.equal(annotations.note, 'x')
  assert.equal(annotations['kubectl.kubernetes.io/last-applied-configuration'], undefined)
})

test('old sets beyond the history limit go, oldest revisions first, empty ones only', () => {
  const old = [3, 1, 2].map((revision) =>
    replicaSet(`r${revision}`, {
      replicas: revision === 2 ? 1 : 0,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    }),
  )
  const names = (limit: number | undefined) =>
    decideCleanup(deployment(limit === undefined ? {} : { revisionHistoryLimit: limit }), old).map(
      ({ metadata }) => metadata.name,
    )
  assert.deepEqual(names(1), ['r1'])
  assert.deepEqual(names(0), ['r1', 'r3'])
  assert.deepEqual(names(undefined), [])
})

/** `reason message` of the Progressing condition after a look at the given sets. */
function progress(owner: Deployment, sets: readonly ReplicaSet[], current: ReplicaSet): string {
  const counted = decideStatus(owner, current, sets, owner.status?.conditions ?? [], nowMs)
  const condition = findCondition(withProgress(owner, current, sets, counted, nowMs).conditions, 'Progressing')
  return `${condition?.status} ${condition?.reason} ${condition?.message}`
}

test('Progressing says what kubectl rollout status waits for', () => {
  const spec = { progressDeadlineSeconds: 60, replicas: 3 }
  const at = (minute: string, reason: string): DeploymentStatus => {
    const condition = { type: 'Progressing', status: 'True', reason, lastUpdateTime: `2026-01-01T00:${minute}:00Z` }
    return { replicas: 3, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [condition] }
  }
  const waiting = replicaSet('web-1', { replicas: 3, available: 2 })
  const done = replicaSet('web-1', { replicas: 3 })
  const moving = deployment(spec, at('09', 'ReplicaSetUpdated'))
  assert.equal(progress(moving, [waiting], waiting), 'True ReplicaSetUpdated ReplicaSet "web-1" is progressing.')
  assert.equal(
    progress(moving, [done], done),
    'True NewReplicaSetAvailable ReplicaSet "web-1" has successfully progressed.',
  )
  const stuck = deployment(spec, { ...at('05', 'ReplicaSetUpdated'), updatedReplicas: 3 })
  assert.equal(
    progress(stuck, [waiting], waiting),
    'False ProgressDeadlineExceeded ReplicaSet "web-1" has timed out progressing.',
  )
  const status = { ...at('10', 'ReplicaSetUpdated') }
  assert.equal(stuckCheckMs(deployment(spec, status), status, nowMs), 61_000)
})

test('pausing and resuming stands in Progressing and never counts as being stuck', () => {
  const paused = deployment({ paused: true, progressDeadlineSeconds: 60 }, { conditions: [] })
  const conditions = pauseConditions(paused, nowMs)
  assert.equal(findCondition(conditions, 'Progressing')?.reason, 'DeploymentPaused')
  const resumed = deployment({ progressDeadlineSeconds: 60 }, { conditions })
  assert.equal(findCondition(pauseConditions(resumed, nowMs), 'Progressing')?.reason, 'DeploymentResumed')
})
