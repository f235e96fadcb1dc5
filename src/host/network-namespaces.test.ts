import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeUnfinishedNamespaces } from './network-namespaces.ts'

test('only empty files of containerd’s own making go, and none that is older', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netns-'))
  t.after(() => rm(folder, { recursive: true }))
  const unfinished = 'cni-0a1b2c3d-0001-4a5b-8c9d-0123456789ab'
  const older = 'cni-0a1b2c3d-0002-4a5b-8c9d-0123456789ab'
  const full = 'cni-0a1b2c3d-0003-4a5b-8c9d-0123456789ab'
  for (const name of [unfinished, older, full, 'blue']) await writeFile(join(folder, name), name === full ? 'x' : '')
  await utimes(join(folder, older), 1, 1)
  await removeUnfinishedNamespaces({ sinceMs: 2_000, folder })
  assert.deepEqual(await readdir(folder), ['blue', older, full])
})
