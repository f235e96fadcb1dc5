import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods, replicaSets } from '#api/types/resources.ts'
import { defineController, watchOf } from './controller.ts'
import { controllerTable, rbacOf } from './rbac-of.ts'

const controller = defineController({
  name: 'tester',
  watches: [watchOf(replicaSets), watchOf(pods)],
  writes: [
    { resource: pods, verbs: ['create', 'delete'] },
    { resource: replicaSets, subresource: 'status', verbs: ['update'] },
  ],
  reconcile: async () => undefined,
})

test('rules come from the watches and the writes', () => {
  assert.deepEqual(rbacOf(controller), [
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['replicasets/status'], verbs: ['update'] },
  ])
})

test('the table names everything a controller touches', () => {
  assert.equal(
    controllerTable([controller]).split('\n')[2],
    '| tester | replicasets, pods | pods (create, delete); replicasets/status (update) |',
  )
})
