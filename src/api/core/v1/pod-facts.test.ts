import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec, PodStatus } from '../../types/core.v1.ts'
import * as facts from './pod-facts.ts'
import { computePodQosClass } from './pod-qos.ts'
import { podLimits, podRequests } from './pod-resources.ts'

function pod(spec: Partial<PodSpec> = {}, status: PodStatus = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '2024-01-01T00:00:00Z', ...metadata },
    spec: { containers: [], ...spec },
    status,
  }
}

function container(name: string, requests: Record<string, string>, more: Partial<Container> = {}): Container {
  return { name, resources: { requests }, ...more }
}

test('phase and deletion decide whether a pod is active', () => {
  assert.equal(facts.isPodActive(pod({}, { phase: 'Running' })), true)
  assert.equal(facts.isPodActive(pod({}, { phase: 'Succeeded' })), false)
  assert.equal(facts.isPodActive(pod({}, {}, { deletionTimestamp: '2024-01-01T00:00:00Z' })), false)
  assert.equal(facts.isPodTerminal(pod({}, { phase: 'Failed' })), true)
})

test('a pod is available once it has been ready long enough', () => {
  const ready = pod({}, { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2024-01-01T00:00:10Z' }] })
  const at = (seconds: number): number => Date.parse('2024-01-01T00:00:10Z') + seconds * 1000
  assert.equal(facts.isPodReady(ready), true)
  assert.equal(facts.isPodAvailable(ready, 0, at(0)), true)
  assert.equal(facts.isPodAvailable(ready, 5, at(4)), false)
  assert.equal(facts.isPodAvailable(ready, 5, at(5)), true)
  assert.equal(facts.isPodAvailable(pod(), 0, at(5)), false)
})

test('a named port is found in main and sidecar containers only', () => {
  const ports = [{ name: 'web', containerPort: 8080 }]
  assert.equal(facts.resolvePodPort(pod(), 80), 80)
  assert.equal(facts.resolvePodPort(pod({ containers: [{ name: 'c', ports }] }), 'web'), 8080)
  assert.equal(facts.resolvePodPort(pod({ containers: [{ name: 'c', ports }] }), 'web', 'UDP'), undefined)
  assert.equal(facts.resolvePodPort(pod({ initContainers: [{ name: 'i', ports }] }), 'web'), undefined)
  assert.equal(
    facts.resolvePodPort(pod({ initContainers: [{ name: 'i', ports, restartPolicy: 'Always' }] }), 'web'),
    8080,
  )
})

test('requests are the largest step of the life of the pod', () => {
  const cases: readonly [string, Partial<PodSpec>, Record<string, number>][] = [
    ['sum of containers', { containers: [container('a', { cpu: '1' }), container('b', { cpu: '1' })] }, { cpu: 2000 }],
    [
      'init container above the sum',
      { initContainers: [container('i', { cpu: '3' })], containers: [container('a', { cpu: '1' })] },
      { cpu: 3000 },
    ],
    [
      'sidecar beside init and main containers',
      {
        initContainers: [container('s', { cpu: '1' }, { restartPolicy: 'Always' }), container('i', { cpu: '3' })],
        containers: [container('a', { cpu: '2' })],
      },
      { cpu: 4000 },
    ],
    [
      'pod level wins for its own resources, overhead is added',
      {
        resources: { requests: { cpu: '5' } },
        overhead: { cpu: '100m', memory: '1Mi' },
        containers: [container('a', { cpu: '1', memory: '1Mi' })],
      },
      { cpu: 5100, memory: 2_097_152 },
    ],
  ]
  for (const [name, spec, expected] of cases) assert.deepEqual(podRequests(pod(spec)), expected, name)
})

test('a resize under way counts the larger of wanted and held', () => {
  const status = (reason: string): PodStatus => ({
    containerStatuses: [
      { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, resources: { requests: { cpu: '2' } } },
    ],
    conditions: reason === '' ? [] : [{ type: 'PodResizePending', status: 'True', reason }],
  })
  const spec = { containers: [container('a', { cpu: '3' })] }
  assert.deepEqual(podRequests(pod(spec, status('')), { withStatus: true }), { cpu: 3000 })
  assert.deepEqual(podRequests(pod(spec, status('Infeasible')), { withStatus: true }), { cpu: 2000 })
  assert.deepEqual(podRequests(pod({ containers: [container('a', { cpu: '1' })] }, status(''))), { cpu: 1000 })
})

test('overhead is added to a limit only where there is one', () => {
  const limited = pod({
    overhead: { cpu: '1', memory: '1Ki' },
    containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }],
  })
  assert.deepEqual(podLimits(limited), { cpu: 2000 })
})

test('quality of service class', () => {
  const both = { cpu: '1', memory: '1Gi' }
  const cases: readonly [string, Partial<PodSpec>, string][] = [
    ['nothing asked', { containers: [{ name: 'a' }] }, 'BestEffort'],
    ['zero is nothing', { containers: [container('a', { cpu: '0' })] }, 'BestEffort'],
    ['other resources do not count', { containers: [container('a', { 'example.com/gpu': '1' })] }, 'BestEffort'],
    ['requests only', { containers: [container('a', both)] }, 'Burstable'],
    [
      'limits equal requests',
      { containers: [{ name: 'a', resources: { limits: both, requests: both } }] },
      'Guaranteed',
    ],
    [
      'one of two containers',
      { containers: [{ name: 'a', resources: { limits: both, requests: both } }, { name: 'b' }] },
      'Burstable',
    ],
    ['pod level decides', { resources: { limits: both, requests: both }, containers: [{ name: 'a' }] }, 'Guaranteed'],
  ]
  for (const [name, spec, expected] of cases)
    assert.equal(computePodQosClass({ containers: [], ...spec }), expected, name)
})
