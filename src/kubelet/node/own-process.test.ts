import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { machineErrors } from './own-process.ts'

test('a node that is to change nothing does not start on a kernel that is set otherwise', async (t) => {
  const procDir = await mkdtemp(join(tmpdir(), 'coracle-proc-'))
  t.after(() => rm(procDir, { recursive: true }))
  const file = join(procDir, 'sys', 'kernel', 'panic')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '0\n')
  const machine = { isCgroupV1: true, procDir }
  assert.deepEqual(await machineErrors({}, machine), [])
  assert.deepEqual(await machineErrors({ protectKernelDefaults: true }, machine), [
    'invalid kernel flag: kernel/panic, expected value: 10, actual value: 0',
  ])
  await writeFile(file, '10\n')
  assert.deepEqual(await machineErrors({ protectKernelDefaults: true }, machine), [])
})

test('a node may be told not to run on old control groups', async () => {
  const errorsOn = (isCgroupV1: boolean): Promise<readonly string[]> =>
    machineErrors({ failCgroupV1: true }, { isCgroupV1, procDir: '/nowhere' })
  assert.match((await errorsOn(true)).join(), /^kubelet is configured to not run on a host using cgroup v1/)
  assert.deepEqual(await errorsOn(false), [])
})
