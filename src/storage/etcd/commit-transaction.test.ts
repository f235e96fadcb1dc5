import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import type { Change } from '../store.ts'
import { commitTransaction, conflictOf } from './commit-transaction.ts'
import { TxnResponseSchema } from './generated/etcd_pb.ts'
import { KeySpace } from './key-space.ts'

const space = new KeySpace('')
const value = Buffer.from('x')

function shapeOf(changes: readonly Change[]): string {
  const { compare = [], success = [], failure = [] } = commitTransaction(changes, space)
  const names = success.map(({ request }) => request?.case?.replace('request', '') ?? '')
  return `${compare.length} if, ${[...new Set(names)].join('+')} ${names.length}, else ${failure.length}`
}

const puts = (count: number, ifRevision?: number): Change[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value, ...(ifRevision !== undefined && { ifRevision }) }))

for (const [title, changes, expected] of [
  ['a put', puts(1), '0 if, Put 1, else 0'],
  ['a conditional put', puts(1, 3), '1 if, Put 1, else 1'],
  ['a deletion of what exists', [{ key: 'a', delete: true, ifRevision: 4 }], '1 if, DeleteRange 1, else 1'],
  [
    'a deletion of what may be absent takes a revision too',
    [{ key: 'a', delete: true }],
    '0 if, DeleteRange+Put 2, else 0',
  ],
  ['as many operations as etcd takes', puts(128), '0 if, Put 128, else 0'],
  ['more than that', puts(129), '0 if, Txn 3, else 0'],
  ['as many as a commit may have', puts(4096), '0 if, Txn 64, else 0'],
] as const) {
  test(title, () => assert.equal(shapeOf(changes), expected))
}

test('a conflict names the first condition that does not hold, with the entry in its way', () => {
  const changes: Change[] = [{ key: 'free', value }, ...puts(3, 2)]
  const kv = (modRevision: bigint) => ({ key: value, value, modRevision, createRevision: 1n })
  const responses = [[kv(2n)], [kv(7n)], []].map((kvs) => ({
    response: { case: 'responseRange', value: { kvs } } as const,
  }))
  const conflict = conflictOf(changes, create(TxnResponseSchema, { responses }))
  assert.deepEqual([conflict.key, conflict.current?.modRevision], ['k1', 7])
})
