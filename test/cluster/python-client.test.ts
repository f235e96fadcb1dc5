/** Goal: Debian's Python client finds what it expects. Method: its own verbs in a script against `./coracle server`. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startServer } from './harness/cluster.ts'
import { outputOf } from './harness/run-program.ts'

test('python3-kubernetes lists, pages, creates, patches, replaces and watches', async () => {
  await using server = await startServer()
  // By its path: a Python of somebody's own does not have Debian's packages.
  const printed = await outputOf('/usr/bin/python3', [join(import.meta.dirname, 'python-client.py'), server.kubeconfig])
  assert.deepEqual(printed.trim().split('\n'), [
    'created py',
    "listed [('py', {'a': '1'})]",
    'paged 2 True',
    "patched {'a': '1', 'b': '2'}",
    "replaced {'c': '3'}",
    'stale 409 Conflict',
    'scaled 1',
    "watched ['MODIFIED', 'DELETED']",
  ])
})
