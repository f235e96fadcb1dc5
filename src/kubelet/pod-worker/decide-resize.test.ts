import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { decideResize, type ResizePlan } from './decide-resize.ts'

function pod(...containers: Container[]): Pod {
  const metadata = { name: 'p', namespace: 'ns', uid: 'p', resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } }
}

function asking(cpu: string, more: Partial<Container> = {}): Container {
  return { name: 'c', resources: { requests: { cpu } }, ...more }
}

function decide(container: Container, others: readonly Pod[] = []): ResizePlan {
  const applied = new Map([['c', { requests: { cpu: '1' } }]])
  return decideResize({ pod: pod(container), applied, allocatable: { cpu: 4000 }, others })
}

test('what a changed wish of a running container leads to', () => {
  assert.deepEqual(decide(asking('1000m')), { type: 'none' })
  const grown = asking('2')
  assert.deepEqual(decide(grown), {
    type: 'apply',
    changes: [{ container: grown, needsRestart: false }],
    isPodLevel: false,
  })
  const restarting = asking('2', { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] })
  assert.deepEqual(decide(restarting), {
    type: 'apply',
    changes: [{ container: restarting, needsRestart: true }],
    isPodLevel: false,
  })
  const other = asking('2', { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] })
  assert.deepEqual(decide(other), {
    type: 'apply',
    changes: [{ container: other, needsRestart: false }],
    isPodLevel: false,
  })
  assert.deepEqual(decide(asking('5')), {
    type: 'pending',
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  })
  const neighbour = { ...pod(asking('3')), metadata: { ...pod().metadata, uid: 'q' } }
  assert.deepEqual(decide(grown, [neighbour]), {
    type: 'pending',
    reason: 'Deferred',
    message: "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
  })
})

test('what a pod asks for as a whole may change too', () => {
  const container: Container = { name: 'c' }
  const whole = (cpu: string): ResizePlan => {
    const asked = { ...pod(container), spec: { containers: [container], resources: { requests: { cpu } } } }
    const applied = new Map([['c', {}]])
    return decideResize({
      pod: asked,
      applied,
      appliedToPod: { requests: { cpu: '1' } },
      allocatable: { cpu: 4000 },
      others: [],
    })
  }
  assert.deepEqual(whole('1000m'), { type: 'none' })
  assert.deepEqual(whole('2'), { type: 'apply', changes: [], isPodLevel: true })
  assert.deepEqual(whole('5'), {
    type: 'pending',
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  })
})
