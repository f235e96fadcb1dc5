import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { manualClock, type Clock } from '#lib/clock.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { nodeResourcesFit } from './plugins/node-resources-fit.ts'
import { prioritySort } from './plugins/priority-sort.ts'
import { taintToleration } from './plugins/taint-toleration.ts'
import { PodInfo } from './pod-info.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

function pod(name: string, priority = 0): Pod {
  return {
    metadata: { name, namespace: 'd', uid: name, generation: 1 },
    spec: { priority, containers: [] },
  } as unknown as Pod
}

const fit = nodeResourcesFit()
const compare = prioritySort.queueSort!

function queueOf(clock: Clock, onReady: () => void = () => undefined): SchedulingQueue {
  return new SchedulingQueue({ clock, compare, onReady })
}

const emptyNode = {
  metadata: { name: 'n' },
  spec: {},
  status: { allocatable: { pods: '1' } },
} as unknown as Node

test('take() answers the most urgent pod, then the oldest', async () => {
  const clock = manualClock()
  const queue = queueOf(clock)
  for (const [name, priority] of [
    ['old', 0],
    ['urgent', 10],
    ['new', 0],
  ] as const) {
    queue.set(pod(name, priority))
    await clock.advance(1)
  }
  assert.deepEqual(
    [1, 2, 3, 4].map(() => queue.take()?.pod.metadata.name),
    ['urgent', 'old', 'new', undefined],
  )
})

test('react() moves only pods that the change may help, and not before their backoff', async () => {
  const clock = manualClock()
  let ready = 0
  const queue = queueOf(clock, () => ready++)
  queue.set(pod('short'))
  queue.set(pod('tainted'))
  queue.reject(queue.take()!, [fit])
  queue.reject(queue.take()!, [taintToleration])
  queue.react({ type: 'podFreed', pod: new PodInfo(pod('other')) })
  assert.equal(queue.take(), undefined)
  await clock.advance(1_000)
  assert.equal(queue.take()?.pod.metadata.name, 'short')
  assert.equal(queue.take(), undefined)
  queue.react({ type: 'nodeAdded', node: emptyNode })
  assert.equal(queue.take()?.pod.metadata.name, 'tainted')
  assert.equal(ready, 4)
})

test('retry() doubles the backoff up to ten seconds', async () => {
  const clock = manualClock()
  const queue = queueOf(clock)
  queue.set(pod('p'))
  const waits: number[] = []
  for (let attempt = 0; attempt < 6; attempt++) {
    const startMs = clock.now()
    let taken = queue.take()
    for (; !taken; taken = queue.take()) await clock.advance(500)
    waits.push(clock.now() - startMs)
    queue.retry(taken)
  }
  assert.deepEqual(waits, [0, 1_000, 2_000, 4_000, 8_000, 10_000])
})

test('a pod nothing helps is tried again after five minutes', async () => {
  const clock = manualClock()
  const queue = queueOf(clock)
  queue.set(pod('p'))
  queue.reject(queue.take()!, defaultPlugins)
  await clock.advance(5 * 60_000)
  assert.equal(queue.take()?.pod.metadata.name, 'p')
})

test('remove() takes a pod out wherever it stands', () => {
  const queue = queueOf(manualClock())
  queue.set(pod('p'))
  queue.remove(pod('p'))
  assert.equal(queue.take(), undefined)
})

test('a pod rejected without any node waits for a node', async () => {
  const clock = manualClock()
  const queue = queueOf(clock)
  queue.set(pod('p'))
  queue.reject(queue.take()!, [])
  await clock.advance(2_000)
  queue.react({ type: 'podFreed', pod: new PodInfo(pod('other')) })
  assert.equal(queue.take(), undefined)
  queue.react({ type: 'nodeAdded', node: emptyNode })
  assert.equal(queue.take()?.pod.metadata.name, 'p')
})

test('a pod whose labels or spec change is tried at once, one whose status changes is not', () => {
  const queue = queueOf(manualClock())
  const first = pod('p')
  queue.set(first)
  queue.reject(queue.take()!, [fit])
  queue.set({ ...first, status: { phase: 'Pending' } })
  assert.equal(queue.take(), undefined)
  queue.set({ ...first, metadata: { ...first.metadata, labels: { a: 'b' } } })
  assert.equal(queue.take()?.attempts, 2)
})
