/** Goal: volumes in huge pages are mounted as asked and gone afterwards. Method: what the kernel says of them. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { EmptyDirVolumeSource, Pod } from '#api/types/core.v1.ts'
import { emptyDirVolume } from '#kubelet/volumes/empty-dir.ts'
import { isMountPoint, unmountBelow } from '#kubelet/volumes/mounts.ts'
import type { VolumeRequest } from '#kubelet/volumes/volume-plugin.ts'
import { runCommand } from '#lib/command.ts'
import { skipOutside as skip } from './in-machine.ts'
import { guaranteed } from './pods.ts'

let folder = ''
before(async () => {
  if (skip !== false) return
  folder = await mkdtemp('/var/tmp/volumes-')
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
