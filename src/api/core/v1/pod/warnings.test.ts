import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import type { Pod, PodTemplateSpec } from '../../../types/core.v1.ts'
import { pod } from './pod.ts'
import { templateWarnings } from './warnings.ts'

const container = { name: 'c', image: 'x:1' }

test('what is accepted with a warning', () => {
  const cases: readonly [object, readonly string[]][] = [
    [{}, []],
    [
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      { terminationGracePeriodSeconds: -1 },
      ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
    ],
    [
      {
        containers: [{ ...container, env: [{ name: 'A' }, { name: 'A' }], resources: { limits: { memory: '100m' } } }],
      },
      [
        'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
      ],
    ],
  ]
  for (const [spec, expected] of cases) {
    const { object } = tryCreate(pod, { spec: { containers: [container], ...spec } })
    assert.deepEqual(pod.warnings?.(object), expected)
  }
})

test('a pod whose name is no host name', () => {
  const { object } = tryCreate(pod, { metadata: { name: 'a.b' }, spec: { containers: [container] } })
  const [warning = ''] = pod.warnings?.(object as Pod) ?? []
  assert.match(warning, /^metadata\.name: .* a DNS label is recommended: \[must not contain dots\]$/)
  assert.deepEqual(pod.warnings?.(object, object), [])
})

test('a template that did not change is not complained of again', () => {
  const template: PodTemplateSpec = { spec: { containers: [container], terminationGracePeriodSeconds: -1 } }
  assert.equal(templateWarnings(template, undefined).length, 1)
  assert.deepEqual(templateWarnings(template, structuredClone(template)), [])
})
