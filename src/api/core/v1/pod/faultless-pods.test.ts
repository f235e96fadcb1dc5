import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../../../meta/status.ts'
import type { Pod } from '../../../types/core.v1.ts'
import { rememberingFaultless } from './faultless-pods.ts'

interface Counted {
  readonly validate: (pod: Pod) => FieldError[]
  readonly count: () => number
}

function counted(errors: FieldError[] = []): Counted {
  let calls = 0
  const { validate } = rememberingFaultless({
    validate() {
      calls++
      return errors
    },
    warn: () => [],
  })
  return { validate, count: () => calls }
}

function podOf(spec: object, metadata: object = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec } as unknown as Pod
}

/** A pod as the server completes it: with a volume for its token, mounted in each container. */
function tokenPod(volume: string, ...mounts: string[]): Pod {
  const containers = mounts.map((name) => ({ name: 'c', image: 'x', volumeMounts: [{ name, mountPath: '/t' }] }))
  return podOf({ volumes: [{ name: volume, projected: {} }], containers })
}

test('the same spec again, with another name for the token, is not looked at twice', () => {
  const { validate, count } = counted()
  validate(tokenPod('kube-api-access-abcde', 'kube-api-access-abcde'))
  assert.deepEqual(validate(tokenPod('kube-api-access-fghij', 'kube-api-access-fghij')), [])
  assert.equal(count(), 1)
})

const others: Readonly<Record<string, Pod>> = {
  'a mount of a volume that is not there': tokenPod('kube-api-access-fghij', 'kube-api-access-abcde'),
  'a mount of a volume that was there the first time': tokenPod('kube-api-access-abcde', 'kube-api-access-fghij'),
  'a name that only looks like one made up': tokenPod('kube-api-access-FGHIJ', 'kube-api-access-FGHIJ'),
  'one more mount': tokenPod('kube-api-access-fghij', 'kube-api-access-fghij', 'kube-api-access-fghij'),
  'another image': podOf({
    volumes: [{ name: 'kube-api-access-abcde', projected: {} }],
    containers: [{ name: 'c', image: 'y', volumeMounts: [{ name: 'kube-api-access-abcde', mountPath: '/t' }] }],
  }),
  'an annotation': {
    ...tokenPod('kube-api-access-abcde', 'kube-api-access-abcde'),
    metadata: { name: 'p', annotations: {} },
  } as unknown as Pod,
  'an empty list more': podOf({
    volumes: [{ name: 'kube-api-access-abcde', projected: {} }],
    containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'kube-api-access-abcde', mountPath: '/t' }] }],
    initContainers: [],
  }),
}

for (const [name, pod] of Object.entries(others)) {
  test(`another spec is validated: ${name}`, () => {
    const { validate, count } = counted()
    validate(tokenPod('kube-api-access-abcde', 'kube-api-access-abcde'))
    validate(pod)
    assert.equal(count(), 2)
  })
}

test('what has a fault is validated each time', () => {
  const fault: FieldError = { type: 'FieldValueRequired', field: 'spec', message: 'Required value' }
  const { validate, count } = counted([fault])
  for (let round = 0; round < 2; round++) assert.deepEqual(validate(podOf({ containers: [] })), [fault])
  assert.equal(count(), 2)
})

test('claims of the pod are judged by more than the spec', () => {
  const { validate, count } = counted()
  for (const spec of [{ resourceClaims: [] }, { volumes: [{ name: 'v', ephemeral: {} }] }]) {
    for (let round = 0; round < 2; round++) validate(podOf(spec))
  }
  assert.equal(count(), 4)
})

test('only the specs met last are kept', () => {
  const { validate, count } = counted()
  for (let index = 0; index < 9; index++) validate(podOf({ priority: index }))
  validate(podOf({ priority: 8 }))
  assert.equal(count(), 9)
  validate(podOf({ priority: 0 }))
  assert.equal(count(), 10)
})

test('what is unwise is said each time, and what was quiet is not looked at twice', () => {
  let calls = 0
  const judge = rememberingFaultless({
    validate: () => [],
    warn({ spec }) {
      calls++
      return spec.priority === 1 ? ['unwise'] : []
    },
  })
  const said = [1, 1, 0, 0, 0].map((priority) => {
    const pod = podOf({ priority })
    judge.validate(pod)
    return judge.warn(pod).join('')
  })
  assert.deepEqual(said, ['unwise', 'unwise', '', '', ''])
  assert.equal(calls, 3)
})

test('an annotation can make unwise what was not', () => {
  const { validate, warn } = rememberingFaultless({
    validate: () => [],
    warn: ({ metadata }) => (metadata.annotations === undefined ? [] : ['unwise']),
  })
  const plain = podOf({ priority: 0 })
  validate(plain)
  assert.deepEqual(warn(plain), [])
  const annotated = podOf({ priority: 0 }, { annotations: { a: 'b' } })
  validate(annotated)
  assert.deepEqual(warn(annotated), ['unwise'])
})
