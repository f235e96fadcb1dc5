/**
 * Goal: volumes that need the kernel's help are mounted as asked and gone afterwards. Method: huge pages, and an NFS
 * server on this machine.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { EmptyDirVolumeSource, Pod } from '#api/types/core.v1.ts'
import { emptyDirVolume } from '#kubelet/volumes/empty-dir.ts'
import { isMountPoint, unmountBelow } from '#kubelet/volumes/mounts.ts'
import { mountNfs } from '#kubelet/volumes/nfs.ts'
import type { VolumeRequest } from '#kubelet/volumes/volume-plugin.ts'
import { runCommand } from '#lib/command.ts'
import { skipOutside as skip } from './in-machine.ts'
import { guaranteed } from './pods.ts'

let folder = ''
before(async () => {
  if (skip !== false) return
  folder = await mkdtemp('/var/tmp/volumes-')
  await runCommand('mkdir', ['-p', '/srv/share'])
  await writeFile('/etc/exports', '/srv/share 127.0.0.1(rw,no_root_squash,insecure,fsid=1)\n')
  await runCommand('systemctl', ['restart', 'nfs-server'], { timeoutMs: 300_000 })
})
after(async () => {
  if (skip !== false) return
  await unmountBelow(folder)
  await rm(folder, { recursive: true })
})

function setUp(pod: Pod, emptyDir: EmptyDirVolumeSource, directory: string): Promise<unknown> {
  const request = { pod, volume: { name: 'v', emptyDir }, directory, allocatable: {} }
  return emptyDirVolume.setUp(request as unknown as VolumeRequest)
}

for (const medium of ['HugePages', 'HugePages-2Mi']) {
  test(`a folder in huge pages: ${medium}`, { skip }, async () => {
    const directory = join(folder, medium)
    await setUp(guaranteed('p', { cpu: '1', memory: '1Mi', 'hugepages-2Mi': '4Mi' }), { medium }, directory)
    const mounts = await readFile('/proc/self/mounts', 'utf8')
    assert.match(mounts, new RegExp(`^hugetlbfs ${directory} hugetlbfs .*pagesize=2M`, 'm'))
    await runCommand('fallocate', ['-l', '4M', join(directory, 'pages')])
    await unmountBelow(directory)
    assert.equal(await isMountPoint(directory), false)
  })
}

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
    assert.match(error.message, /Output: mount\.nfs: .*No such file or directory/s)
    return true
  })
  await runCommand('systemctl', ['stop', 'nfs-server'], { timeoutMs: 300_000 })
  const away = mountNfs({ server: '127.0.0.1', path: '/srv/share' }, directory, ['nfsvers=4.2', 'retry=0', 'timeo=10'])
  await assert.rejects(away, /Output: mount\.nfs: .*Connection refused/s)
  assert.equal(await isMountPoint(directory), false)
})
