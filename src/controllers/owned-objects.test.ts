import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matcherOfLabels } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { decideClaims } from './owned-objects.ts'
import { slowStart } from './slow-start.ts'

const owner = { metadata: { name: 'o', uid: 'o' } } as unknown as KubernetesObject
const leaving = { metadata: { ...owner.metadata, deletionTimestamp: 'now' } } as unknown as KubernetesObject

function dependent(
  name: string,
  labels: Record<string, string>,
  controller?: string,
  more: object = {},
): KubernetesObject {
  const ownerReferences = controller === undefined ? [] : [{ uid: controller, controller: true }]
  return { metadata: { name, uid: name, labels, ownerReferences, ...more } } as unknown as KubernetesObject
}

const candidates = [
  dependent('mine', { app: 'web' }, 'o'),
  dependent('mine-but-changed', { app: 'db' }, 'o'),
  dependent('orphan', { app: 'web' }),
  dependent('dying-orphan', { app: 'web' }, undefined, { deletionTimestamp: 'now' }),
  dependent('other-orphan', { app: 'db' }),
  dependent('taken', { app: 'web' }, 'another'),
]

function names(of: KubernetesObject) {
  const claims = decideClaims(of, matcherOfLabels({ app: 'web' }), candidates)
  const list = (objects: readonly KubernetesObject[]): string => objects.map(({ metadata }) => metadata.name).join()
  return [list(claims.owned), list(claims.adopt), list(claims.release)]
}

test('an owner keeps what matches, adopts matching orphans, and releases what matches no more', () => {
  assert.deepEqual(names(owner), ['mine', 'orphan', 'mine-but-changed'])
})

test('an owner that goes away takes nothing new and lets nothing go', () => {
  assert.deepEqual(names(leaving), ['mine', '', ''])
})

test('slow start doubles its batches and stops after a failed one', async () => {
  const tried: number[] = []
  const all = await slowStart(10, async (index) => void tried.push(index))
  assert.deepEqual([all.succeeded, all.error, tried.length], [10, undefined, 10])
  tried.length = 0
  const failure = new Error('quota')
  const some = await slowStart(100, async (index) => {
    tried.push(index)
    if (index >= 2) throw failure
  })
  assert.deepEqual([some.succeeded, some.error, tried], [2, failure, [0, 1, 2]])
})
