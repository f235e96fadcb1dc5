import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryField } from './linux-machine.ts'
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

test('memory of the machine', () => {
  assert.equal(memoryField('MemTotal:       24684084 kB\nMemFree: 1 kB\n', 'MemTotal'), 24_684_084 * 1024)
})
