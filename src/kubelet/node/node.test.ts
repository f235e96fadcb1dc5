import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeletConfiguration } from '../configuration/kubelet-configuration.ts'
import { settingsOf } from '../configuration/kubelet-settings.ts'
import { declaredFeatures } from './declared-features.ts'
import { cpuUsage, memoryField, parseInterfaces } from './linux-usage.ts'
import { statusDifference } from './node-agent.ts'
import { nodeConditions } from './node-conditions.ts'

const fine = { pressure: new Set<never>(), complaints: [] }
const startMs = Date.parse('2026-01-01T00:00:00Z')

test('conditions keep the time of their last change', () => {
  const first = nodeConditions(fine, [], startMs)
  assert.deepEqual(
    first.map(({ type, status }) => `${type}=${status}`),
    ['MemoryPressure=False', 'DiskPressure=False', 'PIDPressure=False', 'Ready=True'],
  )
  const broken = { ...fine, complaints: ['container runtime is down'] }
  const second = nodeConditions(broken, first, startMs + 60_000)
  const ready = second.find(({ type }) => type === 'Ready')
  assert.deepEqual(
    [ready?.reason, ready?.message, ready?.lastTransitionTime],
    ['KubeletNotReady', 'container runtime is down', '2026-01-01T00:01:00Z'],
  )
  assert.equal(second[0]?.lastTransitionTime, '2026-01-01T00:00:00Z')
})

test('a status is written when something but the time has changed, or when it is due', () => {
  const known = { capacity: { cpu: '1' }, conditions: nodeConditions(fine, [], startMs) }
  const later = { capacity: { cpu: '1' }, conditions: nodeConditions(fine, known.conditions, startMs + 10_000) }
  assert.equal(statusDifference(known, later, false), undefined)
  assert.deepEqual(statusDifference(known, later, true), { conditions: later.conditions })
  assert.deepEqual(statusDifference(known, { ...later, capacity: { cpu: '2' } }, false), { capacity: { cpu: '2' } })
})

test('a node declares what it can do with its processors, and that it starts pods over', () => {
  const declared = (fields: KubeletConfiguration) => declaredFeatures(settingsOf(fields))
  assert.deepEqual(declared({}), ['GuaranteedQoSPodCPUResize', 'RestartAllContainersOnContainerExits'])
  assert.deepEqual(declared({ cpuManagerPolicy: 'static' }), ['RestartAllContainersOnContainerExits'])
})

test('memory of the machine', () => {
  assert.equal(memoryField('MemTotal:       24684084 kB\nMemFree: 1 kB\n', 'MemTotal'), 24_684_084 * 1024)
})

test('CPU time and network of the machine', () => {
  const stat = 'cpu  100 20 30 900 50 4 3 2 7 7\ncpu0 1 1 1 1\nbtime 1700000000\n'
  assert.deepEqual(cpuUsage(stat), { cpuNanoseconds: 159e7, bootedAtMs: 1_700_000_000_000 })
  const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0: 1000 10 2 0 0 0 0 0 2000 20 3 0 0 0 0 0
vethab: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
`
  assert.deepEqual(parseInterfaces(netDev), [
    {
      name: 'eth0',
      receivedBytes: 1000,
      receiveErrors: 2,
      sentBytes: 2000,
      sendErrors: 3,
      receivedPackets: 10,
      receiveDrops: 0,
      sentPackets: 20,
      sendDrops: 0,
    },
  ])
})
