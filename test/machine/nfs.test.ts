/**
 * Goal: folders of an NFS server are mounted as asked and gone afterwards, and what goes wrong is told. Method: the
 * kernel's own server on this machine.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isMountPoint, unmountBelow } from '#kubelet/volumes/mounts.ts'
import { mountNfs } from '#kubelet/volumes/nfs.ts'
import { runCommand } from '#lib/command.ts'
import { skipOutside as skip } from './in-machine.ts'

/** The short times make the server take writes at once: it waits for clients of an earlier life that long. */
const start = `modprobe nfsd; mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
mkdir -p /srv/share && exportfs -o rw,no_root_squash,insecure,fsid=1 127.0.0.1:/srv/share &&
rpc.mountd --no-nfs-version 3 && rpc.nfsd --no-nfs-version 3 --grace-time 10 --lease-time 10 2`

let folder = ''
before(async () => {
  if (skip !== false) return
  folder = await mkdtemp('/var/tmp/nfs-')
  await runCommand('bash', ['-c', start], { timeoutMs: 300_000 })
})
after(async () => {
  if (skip !== false) return
  await unmountBelow(folder)
  await runCommand('rpc.nfsd', ['0'])
  await rm(folder, { recursive: true })
})

test('an NFS folder is shared, and is gone after the pod', { skip }, async () => {
  const directory = join(folder, 'shared')
  const { readOnly } = await mountNfs({ server: '127.0.0.1', path: '/srv/share' }, directory)
  assert.equal(readOnly, undefined)
  await writeFile(join(directory, 'greeting'), 'hello')
  assert.equal(await readFile('/srv/share/greeting', 'utf8'), 'hello')
  await unmountBelow(folder)
  assert.equal(await isMountPoint(directory), false)
})

test('a read-only NFS folder with options of its volume', { skip }, async () => {
  const directory = join(folder, 'read-only')
  const source = { server: '127.0.0.1', path: '/srv/share', readOnly: true }
  const { readOnly } = await mountNfs(source, directory, ['nfsvers=4.2', 'noatime'])
  assert.equal(readOnly, true)
  assert.match(await readFile('/proc/self/mounts', 'utf8'), new RegExp(` ${directory} nfs4 ro,noatime,vers=4\\.2`))
  await assert.rejects(writeFile(join(directory, 'more'), ''), { code: 'EROFS' })
  await unmountBelow(folder)
})

test('an NFS folder that is not there, and a server that is away', { skip }, async () => {
  const directory = join(folder, 'missing')
  await assert.rejects(mountNfs({ server: '127.0.0.1', path: '/srv/nothing' }, directory), (error: Error) => {
    assert.match(error.message, /^mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs /)
    assert.match(error.message, /Output: mount\.nfs: .*(No such file or directory|access denied by server)/s)
    return true
  })
  await runCommand('rpc.nfsd', ['0'])
  const away = mountNfs({ server: '127.0.0.1', path: '/srv/share' }, directory, ['nfsvers=4.2', 'retry=0', 'timeo=10'])
  await assert.rejects(away, /Output: mount\.nfs: .*Connection refused/s)
  assert.equal(await isMountPoint(directory), false)
})
