import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import { containerStatusOf } from './container-status.ts'
import type { PodStatusInput } from './pod-status-input.ts'

const run: ContainerStatus = {
  id: 'id',
  name: 'c0',
  attempt: 0,
  state: 'exited',
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 2,
  labels: {},
  annotations: {},
  image: 'i',
  imageRef: 'i',
  sandboxId: 's',
  exitCode: 1,
  reason: 'Error',
  message: '',
  logPath: '',
  mounts: [],
}

const container = (index: number = 0): Container => ({ name: `c${index}`, image: 'i' })

function inputOf(containers: readonly Container[], ended: ContainerStatus, words: string = ''): PodStatusInput {
  const metadata = { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } }
  return {
    pod,
    view: { sandboxes: [], containers: [ended] },
    probes: { hasFailed: () => false, isStarted: () => true, isReady: () => true },
    waiting: new Map(),
    terminationMessages: new Map([['id', words]]),
    isEnding: false,
    hasStopped: false,
    given: new Map(),
    runtimeName: 'r',
    canMountRecursively: false,
    hostIps: [],
    startedAtMs: 0,
    nowMs: 0,
  }
}

/** The message that a container leaves in a pod of so many. */
function messageOf(count: number, words: { readonly own: string; readonly runtime?: string }): string | undefined {
  const containers = Array.from({ length: count }, (_, index) => container(index))
  const input = inputOf(containers, { ...run, message: words.runtime ?? '' }, words.own)
  const [first] = containers as [Container]
  return containerStatusOf(input, first, { role: 'main', isInitialized: true }).state?.terminated?.message
}

test('a container tells of its devices', () => {
  const health = [{ name: 'vendor.example/card', resources: [{ resourceID: 'a', health: 'Unhealthy' }] }]
  const [first, input] = [container(), { ...inputOf([container()], run), deviceHealth: () => health }]
  const told = (role: 'main' | 'ephemeral') =>
    containerStatusOf(input, first, { role, isInitialized: true }).allocatedResourcesStatus
  assert.deepEqual(told('main'), health)
  assert.equal(told('ephemeral'), undefined)
})

test('the runtime speaks first, and all containers share 12 KB', () => {
  assert.equal(messageOf(1, { own: '' }), undefined)
  assert.equal(messageOf(1, { own: 'bye' }), 'bye')
  assert.equal(messageOf(1, { own: 'bye', runtime: 'killed' }), 'killed: bye')
  const long = 'x'.repeat(4096)
  assert.deepEqual(
    [1, 3, 6, 12].map((count) => messageOf(count, { own: long })?.length),
    [4096, 4096, 2048, 1024],
  )
})
