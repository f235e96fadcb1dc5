import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeUnfinishedNamespaces } from './network-namespaces.ts'

test('files of namespaces without a namespace go, and a containerd that made none yet is no trouble', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'netns-'))
  t.after(() => rm(stateDir, { recursive: true }))
  await removeUnfinishedNamespaces(stateDir)
  const folder = join(stateDir, 'io.containerd.grpc.v1.cri/netns')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'cni-0a1b2c3d-0001-4a5b-8c9d-0123456789ab'), '')
  await removeUnfinishedNamespaces(stateDir)
  assert.deepEqual(await readdir(folder), [])
})
