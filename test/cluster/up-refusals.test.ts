/**
 * Goal: where a cluster cannot start, the user reads one clear sentence and nothing half-made is left. Method:
 * `./coracle up` under conditions that make it impossible.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { coracle, freePort } from './harness/cluster.ts'
import { assertNoTrace, machineTrace } from './harness/machine-trace.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { checkout, runProgram } from './harness/run-program.ts'

test('up without root says so', { skip }, async () => {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', join(checkout, 'coracle'), 'up']
  const refused = await runProgram('setpriv', nobody)
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /^error: coracle up must run as root: .*sudo coracle up, or coracle server --simulated-nodes 3$/m,
  )
})

test('up on a busy port says which, and leaves nothing half-made', { skip }, async () => {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const busy = createServer().listen(0, '0.0.0.0')
  await once(busy, 'listening')
  const { port } = busy.address() as AddressInfo
  try {
    const clean = await machineTrace()
    const dataDir = join(folder, 'data')
    const refused = await coracle('up', '--data-dir', dataDir, '--secure-port', String(port))
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      new RegExp(`^error: Cannot listen on 0\\.0\\.0\\.0:${port}: another program uses the port$`, 'm'),
    )
    assert.equal(existsSync(dataDir), false)
    await assertNoTrace(clean)
  } finally {
    busy.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('up without containerd and without apt says what is missing', { skip }, async () => {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  try {
    // A mount namespace in which both programs have never been.
    const hide = `mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=${folder}/up,workdir=${folder}/work /usr/bin`
    const script = `mkdir ${folder}/up ${folder}/work && ${hide} && rm /usr/bin/containerd /usr/bin/apt-get && exec "$@"`
    const command = [
      join(checkout, 'coracle'),
      'up',
      '--data-dir',
      join(folder, 'data'),
      '--secure-port',
      String(await freePort()),
    ]
    const refused = await runProgram('unshare', ['--mount', 'sh', '-c', script, 'sh', ...command])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^error: Cannot install containerd: apt-get not found\. Install them by hand/m)
    assert.equal(existsSync(join(folder, 'data')), false)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('down without a cluster is content', { skip }, async () => {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const done = await coracle('down', '--data-dir', join(folder, 'data'))
  assert.equal(done.code, 0)
  await rm(folder, { recursive: true, force: true })
})
