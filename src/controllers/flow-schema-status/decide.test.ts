import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowSchema } from '#api/types/flowcontrol.v1.ts'
import { decideStatus } from './decide.ts'

const now = '2026-01-01T00:00:00Z'
const later = '2026-01-01T00:01:00Z'

function schema(status: FlowSchema['status']): FlowSchema {
  return { metadata: { name: 's' }, spec: { priorityLevelConfiguration: { name: 'p' } }, status } as FlowSchema
}

test('a schema is dangling while its priority level is missing', () => {
  const missing = decideStatus(schema({}), { hasLevel: false, now })
  assert.deepEqual(missing?.conditions, [
    {
      type: 'Dangling',
      status: 'True',
      reason: 'NotFound',
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "p" but there is no such object',
      lastTransitionTime: now,
    },
  ])
  assert.equal(decideStatus(schema(missing), { hasLevel: false, now: later }), undefined)
  const found = decideStatus(schema(missing), { hasLevel: true, now: later })
  assert.deepEqual(found?.conditions, [
    {
      type: 'Dangling',
      status: 'False',
      reason: 'Found',
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "p" and it exists',
      lastTransitionTime: later,
    },
  ])
})
