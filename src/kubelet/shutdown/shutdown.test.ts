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
    onBegin: () => seen.push('begin'),
  })
  const done = shutdown.begin()
  assert.ok(shutdown.hasBegun)
  await clock.advance(19_000)
  assert.deepEqual(seen, ['begin', 'stubborn Terminated 20', 'quick Terminated 3'])
  await clock.advance(1_000)
  await done
  assert.deepEqual(seen.slice(3), ['critical Terminated 5'])
})

test('without any time configured pods are left alone', async () => {
  const shutdown = new NodeShutdown({ periods: [] } as never)
  await shutdown.begin()
  assert.equal(shutdown.hasBegun, false)
})
