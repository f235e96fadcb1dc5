/**
 * Goal: whatever is done to pods, and whatever happens to the kubelet meanwhile, nothing of a pod that is gone stays on
 * the node. Method: take down what is on the machine once a first pod has come and gone, do the worst, and compare.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { configMaps, pods, secrets } from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { assertNoTrace, machineTrace } from './harness/machine-trace.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
/** The cluster's own process, which is another one after it was killed. */
const ownProcess = /^processes: \d+ .*coracle/

/** A pod with everything that a node makes for pods. */
function fullPod(name: string): TestPod {
  const volumes = [
    { name: 'empty', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
    { name: 'map', configMap: { name: 'map' } },
    { name: 'secret', secret: { secretName: 'secret' } },
  ]
  const volumeMounts = [
    ...volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` })),
    { name: 'map', mountPath: '/one', subPath: 'key' },
  ]
  const resources = { limits: { memory: '32Mi' }, requests: { cpu: '1m' } }
  // A start that was cut off by a kill counts as a run that has failed.
  return {
    name,
    script: 'sleep 1000',
    container: { volumeMounts, resources },
    spec: { volumes, restartPolicy: 'Always' },
  }
}

async function spaceWithObjects(t: Parameters<typeof shared.space>[0]): Promise<TestSpace> {
  const space = await shared.space(t)
  await space.of(configMaps).create({ metadata: { name: 'map' }, data: { key: 'value' } })
  await space.of(secrets).create({ metadata: { name: 'secret' }, data: { key: 'dmFsdWU=' } })
  return space
}

/** Runs the action, and compares the machine before and after, a first pod having come and gone before both. */
async function leavesNothing(space: TestSpace, action: () => Promise<void>): Promise<void> {
  await space.start(fullPod('first'))
  await space.of(pods).delete('first')
  await space.waitGone(pods, 'first')
  const before = await machineTrace()
  await action()
  await assertNoTrace(before, { ignoring: ownProcess })
}

async function allGone(space: TestSpace, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const { items, resourceVersion } = await space.of(pods).list()
  const left = new Map(items.map((pod) => [pod.metadata.uid, pod]))
  if (left.size === 0) return
  for await (const event of space.of(pods).watch({ resourceVersion, signal })) {
    if (event.type !== 'DELETED') continue
    left.delete(event.object.metadata.uid)
    if (left.size === 0) return
  }
  const [first] = left.values()
  assert.fail(`${left.size} pods are still there, such as ${JSON.stringify(first)}`)
}

describe('nothing stays', { skip }, () => {
  test('of a pod that is deleted at any moment of its start', async (t) => {
    const space = await spaceWithObjects(t)
    await leavesNothing(space, async () => {
      for (let moment = 0; moment < 30; moment++) {
        const name = `moment-${moment}`
        await space.create(fullPod(name))
        await systemClock.sleep(moment * 20)
        await space.of(pods).delete(name)
      }
      await allGone(space, 60_000)
    })
  })

  test('of fifty pods that are created and deleted at once', async (t) => {
    const space = await spaceWithObjects(t)
    await leavesNothing(space, async () => {
      const names = Array.from({ length: 50 }, (_, index) => `storm-${index}`)
      await Promise.all(
        names.map(async (name) => {
          await space.create(fullPod(name))
          await space.of(pods).delete(name)
        }),
      )
      await allGone(space, 60_000)
    })
  })

  test('of 200 pods that come and go while the kubelet is killed at random', async (t) => {
    const space = await spaceWithObjects(t)
    const random = seededRandom(20_261_121)
    await leavesNothing(space, async () => {
      const churning = churn(space, random)
      for (let kill = 0; kill < kills; kill++) {
        await systemClock.sleep(500 + random.next() * 4_000)
        await shared.cluster.signal('SIGKILL')
        await shared.cluster.up()
      }
      await churning
      await allGone(space, 120_000)
    })
  })
})

const kills = 6
const podCount = 200
const lanes = 10

/** Creates and deletes pods in several lanes; a request that finds nobody is sent again. */
async function churn(space: TestSpace, random: { next(): number }): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < podCount) {
      const name = `churn-${next++}`
      await insist(() => space.create(fullPod(name)))
      const wantsToRun = random.next() < 0.5
      if (wantsToRun) await insist(() => space.waitFor(pods, name, (pod: Pod) => pod.status?.phase === 'Running'))
      else await systemClock.sleep(random.next() * 500)
      await insist(() => space.of(pods).delete(name))
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Until it works, or has worked before: the server is away for a while after each kill. */
async function insist(request: () => Promise<unknown>): Promise<void> {
  const deadlineMs = systemClock.now() + 60_000
  for (;;) {
    try {
      await request()
      return
    } catch (error) {
      const reason = (error as { reason?: string }).reason
      if (reason === 'AlreadyExists' || reason === 'NotFound') return
      if (systemClock.now() > deadlineMs) throw error
      await systemClock.sleep(100)
    }
  }
}
