import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodStatus } from '#api/types/core.v1.ts'
import { statusPatch } from './status-patch.ts'

const ready = { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' }

test('equal statuses need no patch, whatever the order of their keys', () => {
  const before: PodStatus = { phase: 'Running', conditions: [ready] }
  const after: PodStatus = {
    conditions: [{ message: 'm', reason: 'ContainersNotReady', status: 'False', type: 'Ready' }],
    phase: 'Running',
  }
  assert.equal(statusPatch('u', before, after), undefined)
})

test('a patch carries the differences only and names what is gone', () => {
  const foreign = { type: 'example.com/gate', status: 'True' }
  const before: PodStatus = { phase: 'Pending', reason: 'x', conditions: [ready, foreign], qosClass: 'Burstable' }
  const after: PodStatus = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], qosClass: 'Burstable' }
  assert.deepEqual(statusPatch('u', before, after), {
    metadata: { uid: 'u' },
    status: {
      phase: 'Running',
      reason: null,
      conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    },
  })
})

test('the condition of a resize that is over goes away', () => {
  const pending = { type: 'PodResizePending', status: 'True' }
  assert.deepEqual(statusPatch('u', { conditions: [ready, pending] }, { conditions: [ready] }), {
    metadata: { uid: 'u' },
    status: { conditions: [{ type: 'PodResizePending', $patch: 'delete' }] },
  })
})

test('a changed list of addresses replaces the old one instead of joining it', () => {
  const before: PodStatus = { podIPs: [{ ip: '10.0.0.1' }] }
  assert.deepEqual(statusPatch('u', before, { podIPs: [{ ip: '10.0.0.2' }] }), {
    metadata: { uid: 'u' },
    status: { podIPs: [{ ip: '10.0.0.2' }, { $patch: 'replace' }] },
  })
  assert.deepEqual(statusPatch('u', {}, { podIPs: [{ ip: '10.0.0.2' }] }), {
    metadata: { uid: 'u' },
    status: { podIPs: [{ ip: '10.0.0.2' }] },
  })
})
