import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readInside } from './read-inside.ts'

test('reads files of a folder and nothing beyond it', async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'read-inside-'))
  t.after(() => rm(top, { recursive: true }))
  const folder = join(top, 'volume')
  await mkdir(join(folder, 'sub'), { recursive: true })
  await writeFile(join(top, 'secret'), 'of the node')
  await writeFile(join(folder, 'sub', 'a.env'), "A='1'\n")
  await writeFile(join(folder, 'large'), 'x'.repeat(70_000))
  await symlink('../secret', join(folder, 'file-link'))
  await symlink('..', join(folder, 'folder-link'))
  const outcome = (path: string) => readInside(folder, path).catch((error: Error) => `error: ${error.message}`)
  assert.equal(await outcome('sub/a.env'), "A='1'\n")
  assert.equal(await outcome('sub/none'), undefined)
  assert.equal(await outcome('none/a.env'), undefined)
  assert.equal(await outcome('file-link'), 'error: it leads through a symbolic link')
  assert.match((await outcome('folder-link/secret')) ?? '', /^error: /)
  assert.equal(await outcome('../secret'), "error: the path must not contain '..'")
  assert.equal(await outcome('sub'), 'error: it is not a regular file')
  assert.equal(await outcome('large'), 'error: it is larger than 65536 bytes')
})
