import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { NodeShutdown, type EndablePod } from './node-shutdown.ts'
import { shutdownGroups } from './shutdown-groups.ts'

const events: EventRecorder = { record: () => undefined, from: () => events }
const podOf = (name: string, priority: number, seconds?: number): Pod =>
  ({ metadata: { name }, spec: { priority, containers: [], terminationGracePeriodSeconds: seconds } }) as unknown as Pod
const periods = [
  { priority: 0, seconds: 20 },
  { priority: 1000, seconds: 10 },
  { priority: 2_000_000_000, seconds: 5 },
]

test('pods end by priority, the lowest first', () => {
  const subjects = [
    ['critical', 2_000_001_000],
    ['high', 1000],
    ['middle', 999],
    ['negative', -5],
  ].map(([name, priority]) => ({ pod: podOf(String(name), Number(priority)) }))
  const groups = shutdownGroups(subjects, periods).map(({ seconds, subjects: own }) => [
    seconds,
    own.map(({ pod }) => pod.metadata.name),
  ])
  assert.deepEqual(groups, [
    [20, ['middle', 'negative']],
    [10, ['high']],
    [5, ['critical']],
  ])
})

test('a group gets its time and no more, then the next one ends', async () => {
  const clock = manualClock()
  const seen: string[] = []
  const subject = (pod: Pod, isStubborn = false): EndablePod => ({
    pod,
    end(failure, graceSeconds) {
      seen.push(`${pod.metadata.name} ${failure.reason} ${graceSeconds}`)
      return isStubborn ? new Promise(() => undefined) : Promise.resolve()
    },
  })
  const shutdown = new NodeShutdown({
    clock,
    log: silentLog,
    events,
    periods,
    pods: () => [
      subject(podOf('critical', 2_000_000_000, 60)),
      subject(podOf('stubborn', 0, 60), true),
      subject(podOf('quick', 0, 3)),
    ],
    node: () => undefined,
    onChange: () => seen.push('begin'),
    record: { begin: () => Promise.resolve(), end: () => Promise.resolve(), read: () => [] },
  })
  const done = shutdown.begin()
  assert.ok(shutdown.hasBegun)
  await clock.advance(19_000)
  assert.deepEqual(seen, ['begin', 'stubborn Terminated 20', 'quick Terminated 3'])
  await clock.advance(1_000)
  await done
  assert.deepEqual(seen.slice(3), ['critical Terminated 5'])
})

test('a shutdown that is called off lets the node take pods again', async () => {
  const seen: string[] = []
  const shutdown = new NodeShutdown({
    clock: manualClock(),
    log: silentLog,
    events: { ...events, record: (_node, _type, reason, message) => void seen.push(`${reason}: ${message}`) },
    periods,
    pods: () => [],
    node: () => ({ metadata: { name: 'n' } }) as never,
    onChange: () => seen.push(shutdown.hasBegun ? 'not ready' : 'ready'),
    record: { begin: () => Promise.resolve(), end: () => Promise.resolve(), read: () => [] },
  })
  assert.equal(shutdown.neededMs, 35_000)
  shutdown.cancel()
  await shutdown.begin()
  shutdown.cancel()
  await Promise.resolve()
  assert.deepEqual(seen, [
    'NodeShutdown: Shutdown manager detected shutdown event',
    'not ready',
    'NodeShutdown: Shutdown manager detected shutdown cancellation',
    'ready',
  ])
})

test('without any time configured pods are left alone', async () => {
  const shutdown = new NodeShutdown({ periods: [] } as never)
  await shutdown.begin()
  assert.equal(shutdown.hasBegun, false)
})
