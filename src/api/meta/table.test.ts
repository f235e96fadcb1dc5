import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from './resource.ts'
import { buildTable, parseIncludeObject, partialMetadataList, type TableRequest } from './table.ts'

const metadata = { name: 'a', uid: 'u', resourceVersion: '5', creationTimestamp: '1970-01-01T00:00:00Z' }
const object: KubernetesObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata }
const request: TableRequest = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', priority: 0 },
    { name: 'Age', type: 'string', priority: 0 },
  ],
  includeObject: 'Metadata',
  apiVersion: 'meta.k8s.io/v1',
  nowMs: 90_000,
  metadata: { resourceVersion: '7' },
}

test('a table has columns, and rows with metadata', () => {
  assert.deepEqual(buildTable([object], request), {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      { name: 'Age', type: 'string', format: '', description: '', priority: 0 },
    ],
    rows: [{ cells: ['a', '90s'], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }],
  })
})

test('rows carry what is asked for', () => {
  const rowOf = (change: Partial<TableRequest>): unknown =>
    (buildTable([object], { ...request, ...change }) as { rows: unknown[] }).rows[0]
  assert.deepEqual(rowOf({ includeObject: 'None' }), { cells: ['a', '90s'], object: null })
  assert.deepEqual(rowOf({ includeObject: 'Object', cells: () => ['x', 1] }), { cells: ['x', 1], object })
  assert.equal(parseIncludeObject(''), 'Metadata')
  assert.throws(() => parseIncludeObject('Wrong'), {
    message:
      "Unable to convert to Table as requested: includeObject: Invalid value: \"Wrong\": must be 'Metadata', 'Object', 'None', or empty",
  })
})

test('a list of metadata', () => {
  assert.deepEqual(partialMetadataList([object], { resourceVersion: '7' }), {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    items: [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }],
  })
})
