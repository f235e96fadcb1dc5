import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindNode, type ObjectNode } from '../../schema/node.ts'
import { applyConfiguration } from './apply.ts'
import { emptySet } from './field-set.ts'
import { lastAppliedAnnotation } from './last-applied.ts'

const node = kindNode('', 'v1', 'ConfigMap') as ObjectNode
const head = { apiVersion: 'v1', kind: 'ConfigMap' }
const lastApplied = JSON.stringify({ ...head, metadata: { name: 'a', annotations: {} }, data: { x: '1', y: '1' } })
const live = {
  ...head,
  metadata: {
    name: 'a',
    annotations: { [lastAppliedAnnotation]: lastApplied },
    managedFields: [
      {
        manager: 'kubectl-client-side-apply',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:x': {}, 'f:y': {} } },
      },
    ],
  },
  data: { x: '1', y: 'changed since' },
}

function applied(manager: string, data: object): Record<string, unknown> {
  const writer = { manager, apiVersion: 'v1', subresource: '', now: '2026-02-02T00:00:00Z', ignored: emptySet }
  const config = { ...head, metadata: { name: 'a' }, data }
  return applyConfiguration({ ...writer, node, live, config, force: false }).object
}

test('kubectl takes what it applied on its side before, and rewrites the annotation', () => {
  const object = applied('kubectl', { x: '2' }) as typeof live
  assert.equal(object.data.x, '2')
  assert.equal(
    object.metadata.annotations[lastAppliedAnnotation],
    '{"apiVersion":"v1","data":{"x":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
  )
})

test('fields that changed since, and other managers, conflict as ever', () => {
  const conflict = {
    message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.y',
  }
  assert.throws(() => applied('kubectl', { x: '2', y: '2' }), conflict)
  assert.throws(() => applied('other', { x: '2' }), /1 conflict.*\.data\.x/)
})
