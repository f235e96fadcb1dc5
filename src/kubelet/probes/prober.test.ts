import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Probe } from '#api/types/core.v1.ts'
import { PodWorld } from '../pod-worker/pod-world.case.ts'
import type { ProbeOutcome } from './probe-outcome.ts'

/** A probe that is known by its command. */
function handler(name: string, more: Partial<Probe> = {}): Probe {
  return { exec: { command: [name] }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 1, ...more }
}

/** Answers probes by their command and keeps how often each was tried. */
function answers(initial: Readonly<Record<string, ProbeOutcome>>) {
  const outcomes = new Map(Object.entries(initial))
  const tries = new Map<string, number>()
  const run = async ({ exec }: Probe): Promise<ProbeOutcome> => {
    const name = exec?.command?.[0] ?? ''
    tries.set(name, (tries.get(name) ?? 0) + 1)
    return outcomes.get(name) ?? { ok: true, message: '' }
  }
  return { outcomes, tries, run }
}

test('a try that goes wrong in itself is repeated twice, told of, and counts for nothing', async () => {
  const { tries, run } = answers({ live: { ok: false, message: 'no such command', isError: true } })
  const world = new PodWorld({}, run)
  world.create('web', { containers: [{ name: 'c', image: 'i', livenessProbe: handler('live') }] })
  await world.settle(4_500)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  assert.equal(tries.get('live'), 15)
  const told = 'Unhealthy: Liveness probe errored and resulted in unknown state: no such command'
  assert.equal(world.events.filter((event) => event === told).length, 5)
  await world.stop()
})

test('a success that has something to say becomes a warning', async () => {
  const { run } = answers({ ready: { ok: true, message: 'Probe terminated redirects, Response body: ' } })
  const world = new PodWorld({}, run)
  world.create('web', { containers: [{ name: 'c', image: 'i', readinessProbe: handler('ready') }] })
  await world.settle(100)
  assert.equal(world.summary('web'), 'Running c=running#0+')
  const told = 'ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: '
  assert.ok(world.events.includes(told))
  await world.stop()
})

test('a container that is being restarted for its probe is not probed for that any more', async () => {
  const { tries, run } = answers({ live: { ok: false, message: 'broken' } })
  const world = new PodWorld({ container: () => ({ stopDelayMs: 5_000 }) }, run)
  world.create('web', { containers: [{ name: 'c', image: 'i', livenessProbe: handler('live') }] })
  await world.settle(5_900)
  assert.equal(tries.get('live'), 2)
  await world.stop()
})

test('other probes wait for the startup probe, which is over for good once it succeeds', async () => {
  const { outcomes, tries, run } = answers({ start: { ok: false, message: 'not yet' } })
  const world = new PodWorld({}, run)
  const container = {
    startupProbe: handler('start', { failureThreshold: 30 }),
    readinessProbe: handler('ready', { periodSeconds: 100 }),
    livenessProbe: handler('live', { periodSeconds: 100 }),
  }
  world.create('web', { containers: [{ name: 'c', image: 'i', ...container }] })
  await world.settle(3_500)
  assert.deepEqual([tries.get('start'), tries.get('ready'), tries.get('live')], [4, undefined, undefined])
  outcomes.delete('start')
  await world.settle(1_000)
  assert.deepEqual([tries.get('start'), tries.get('ready'), tries.get('live')], [5, 1, 1])
  assert.equal(world.summary('web'), 'Running c=running#0+')
  await world.settle(5_000)
  assert.equal(tries.get('start'), 5)
  await world.stop()
})

test('after a restart of the kubelet what was ready stays ready, and probes come spread over their period', async () => {
  const { tries, run } = answers({})
  const world = new PodWorld({}, run)
  const names = ['a', 'b', 'c', 'd']
  const containers = names.map((name) => ({
    ...{ name, image: 'i' },
    readinessProbe: handler(name, { periodSeconds: 100 }),
  }))
  world.create('web', { containers })
  await world.settle(100)
  await world.restart()
  await world.settle(0)
  assert.equal(world.summary('web'), 'Running a=running#0+ b=running#0+ c=running#0+ d=running#0+')
  const tried = (): number => names.reduce((sum, name) => sum + (tries.get(name) ?? 0), 0)
  assert.equal(tried(), 4)
  await world.settle(50_000)
  assert.ok(tried() > 4 && tried() < 8, `${tried()} tries`)
  await world.settle(50_000)
  assert.equal(tried(), 8)
  await world.stop()
})
