import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { mountsUnder } from '#lib/mount-info.ts'
import { bindSubPath } from './sub-path.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coracle-subpath-'))
})
after(() => rm(folder, { recursive: true }))

test('a link that a container has planted is not followed', async () => {
  const volumePath = join(folder, 'volume')
  await mkdir(volumePath)
  await symlink('/etc', join(volumePath, 'escape'))
  await symlink('..data/looks-right', join(volumePath, 'looks-right'))
  const target = join(folder, 'target')
  for (const subPath of ['escape', 'escape/passwd', 'looks-right', '../volume', 'a/../../b']) {
    await assert.rejects(bindSubPath({ volumePath, subPath, target, isKubeletWritten: false }), Error, subPath)
  }
})

test('mount points below a path, the deepest and newest first', () => {
  const mountInfo = `1 0 0:1 / / rw - ext4 a rw
2 1 0:2 / /pods/u/volumes/a rw - tmpfs t rw
3 1 0:3 / /pods/u/volumes/a/b\\040c rw - tmpfs t rw
4 1 0:4 / /pods/u2 rw - tmpfs t rw
`
  assert.deepEqual(mountsUnder(mountInfo, ['/pods/u']), ['/pods/u/volumes/a/b c', '/pods/u/volumes/a'])
})
