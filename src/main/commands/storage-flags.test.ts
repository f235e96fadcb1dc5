import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '#cli/command.ts'
import { storageChoice } from './storage-flags.ts'

const defaults = {
  storage: 'sqlite',
  'etcd-servers': [],
  'etcd-prefix': '',
  'etcd-cafile': '',
  'etcd-certfile': '',
  'etcd-keyfile': '',
}
const etcd = { ...defaults, storage: 'etcd', 'etcd-servers': ['https://a:2379'] }

test('flags choose where state is kept', () => {
  assert.equal(storageChoice(defaults), 'sqlite')
  assert.equal(storageChoice({ ...defaults, storage: 'memory' }), 'memory')
  assert.deepEqual(storageChoice({ ...etcd, 'etcd-cafile': 'ca.pem' }), {
    etcd: { servers: ['https://a:2379'], keyPrefix: '', caFile: 'ca.pem', certFile: '', keyFile: '' },
  })
})

for (const [values, complaint] of [
  [{ ...defaults, storage: 'disk' }, /must be sqlite, memory or etcd/],
  [{ ...defaults, 'etcd-servers': ['http://a'] }, /need --storage etcd/],
  [{ ...defaults, storage: 'etcd' }, /needs --etcd-servers/],
  [{ ...etcd, 'etcd-certfile': 'a.pem' }, /go together/],
  [{ ...etcd, 'etcd-servers': ['http://a'], 'etcd-cafile': 'ca.pem' }, /need --etcd-servers with https/],
] as const) {
  test(`refused: ${complaint.source}`, () => {
    assert.throws(
      () => storageChoice(values),
      (error) => error instanceof UsageError && complaint.test(error.message),
    )
  })
}
