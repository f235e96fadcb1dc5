/**
 * Goal: a runtime that stands still, ends in the middle of a call or comes back as another process costs no pod its life.
 * Method: do that to the cluster's containerd while pods start, run and end.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const idle = 'trap exit TERM; sleep 1000 & wait'
const containerd = (): number => Number(readFileSync(shared.cluster.layout.containerd.pidFile, 'utf8').split(' ')[0])
const containerIds = (pod: Pod): unknown =>
  pod.status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount])

/** Creates pods without waiting for anything. */
async function createPods(space: TestSpace, prefix: string, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  await Promise.all(names.map((name) => space.create({ name, script: idle, spec: { restartPolicy: 'Always' } })))
  return names
}

describe('a containerd', { skip }, () => {
  test('that stands still: pods wait for it, and go on when it does', async (t) => {
    const space = await shared.space(t)
    const running = await space.start({ name: 'running', script: idle })
    process.kill(containerd(), 'SIGSTOP')
    const names = await createPods(space, 'waits', 3)
    await systemClock.sleep(2_000)
    process.kill(containerd(), 'SIGCONT')
    await Promise.all(names.map((name) => space.waitFor(pods, name, isReady)))
    assert.deepEqual(containerIds(await space.of(pods).get('running')), containerIds(running))
  })

  test('that dies while pods start and comes back: all of them run, and nobody else was restarted', async (t) => {
    const space = await shared.space(t)
    const running = await space.start({ name: 'running', script: idle })
    const names = await createPods(space, 'starting', 5)
    await systemClock.sleep(150)
    process.kill(containerd(), 'SIGKILL')
    await Promise.all(names.map((name) => space.waitFor(pods, name, isReady)))
    assert.deepEqual(containerIds(await space.waitFor(pods, 'running', isReady)), containerIds(running))
  })

  test('that dies while pods end: all of them go', async (t) => {
    const space = await shared.space(t)
    const names = await createPods(space, 'ending', 4)
    await Promise.all(names.map((name) => space.waitFor(pods, name, isReady)))
    await Promise.all(names.map((name) => space.of(pods).delete(name)))
    process.kill(containerd(), 'SIGKILL')
    await Promise.all(names.map((name) => space.waitGone(pods, name)))
  })
})
