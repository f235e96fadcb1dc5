import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Pod } from '../../../types/core.v1.ts'
import { pod } from './pod.ts'
import { validateEphemeralContainersUpdate, validatePodResize } from './validate-pod-parts.ts'

function make(container: object, spec: object = {}): Pod {
  return tryCreate(pod, { spec: { containers: [{ name: 'c', image: 'x:1', ...container }], ...spec } }).object as Pod
}

function lines(errors: readonly FieldError[]): readonly string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

test('ephemeral containers are only added', () => {
  const debug = { name: 'd', image: 'x:1' }
  const none = make({})
  const one = make({}, { ephemeralContainers: [debug] })
  const other = make({}, { ephemeralContainers: [{ ...debug, image: 'x:2' }] })
  assert.deepEqual(lines(validateEphemeralContainersUpdate(one, none)), [])
  assert.deepEqual(lines(validateEphemeralContainersUpdate(none, one)), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n',
  ])
  const [changed = ''] = lines(validateEphemeralContainersUpdate(other, one))
  assert.match(changed, /^spec\.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be changed\n/)
  assert.match(changed, /^- "Image": "x:1",\n\+ "Image": "x:2",$/m)
})

test('a resize keeps the quality of service and changes CPU and memory only', () => {
  const small = make({ resources: { requests: { cpu: '1' } } })
  assert.deepEqual(lines(validatePodResize(make({ resources: { requests: { cpu: '2' } } }), small)), [])
  assert.deepEqual(lines(validatePodResize(make({}), small)), [
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
    'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
  ])
  const storage = make({ resources: { requests: { cpu: '1', 'ephemeral-storage': '1Gi' } } })
  assert.deepEqual(lines(validatePodResize(storage, small)), [
    'spec: Forbidden: only cpu and memory resources are mutable',
  ])
})
