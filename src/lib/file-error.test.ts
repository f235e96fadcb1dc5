import assert from 'node:assert/strict'
import { mkdir, open } from 'node:fs/promises'
import { test } from 'node:test'
import { messageOf } from './file-error.ts'

test('failures of the file system name the call, the path and the reason', async () => {
  const failure = (work: Promise<unknown>): Promise<string> => work.then(() => '', messageOf)
  assert.equal(await failure(open('/no/such')), 'open /no/such: no such file or directory')
  assert.equal(await failure(mkdir('/dev/null/x')), 'mkdir /dev/null/x: not a directory')
  assert.equal(messageOf(new Error('something else, but not this')), 'something else, but not this')
  assert.equal(messageOf('text'), 'text')
})
