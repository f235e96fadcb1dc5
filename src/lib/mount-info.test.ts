import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mountsUnder } from './mount-info.ts'

const mountInfo = `20 1 254:0 / / rw - ext4 /dev/vda rw
30 20 0:30 / /run/coracle/a rw - tmpfs tmpfs rw
31 30 0:31 / /run/coracle/a/with\\040space rw - tmpfs tmpfs rw
32 20 0:32 / /run/coracle-2 rw - tmpfs tmpfs rw
`

test('mountsUnder() lists inner mounts first, unescaped, and no folder that only shares the prefix', () => {
  assert.deepEqual(mountsUnder(mountInfo, ['/run/coracle']), ['/run/coracle/a/with space', '/run/coracle/a'])
})
