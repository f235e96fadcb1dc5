import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { coracle, startServer } from './harness/cluster.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp('/var/tmp/coracle-test-')
})
after(() => rm(folder, { recursive: true, force: true }))

test('coracle --help lists every command, and each has its own help', async () => {
  const { code, stdout, stderr } = await coracle('--help')
  assert.equal(code, 0, stderr)
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = '']) => name)
  assert.ok(commands.includes('server') && commands.includes('version'), stdout)
  for (const name of commands) {
    const help = await coracle(name, '--help')
    assert.equal(help.code, 0, help.stderr)
    assert.match(help.stdout, new RegExp(`^Usage:\\n {2}coracle ${name}`, 'm'))
  }
})

test('coracle version names itself, Kubernetes and Node', async () => {
  const { code, stdout } = await coracle('version')
  assert.equal(code, 0)
  assert.match(stdout, /^coracle \d+\.\d+\.\d+ \(Kubernetes v1\.36\.\d+, Node v26\.\d+\.\d+\)\n$/)
})

const badUse: readonly [line: string, message: RegExp][] = [
  ['nonsense', /^error: unknown command "nonsense" for "coracle"$/m],
  ['server --nonsense', /^error: unknown flag: --nonsense$/m],
  ['server --secure-port', /^error: flag needs an argument: --secure-port$/m],
  ['server --secure-port=x', /^error: invalid argument "x" for "--secure-port" flag: /m],
  ['server --storage=paper', /^error: invalid value "paper" for --storage/m],
  ['server now', /^error: unexpected argument: now$/m],
]

for (const [line, message] of badUse) {
  test(`coracle ${line} is refused with one message and exit code 1`, async () => {
    const { code, stdout, stderr } = await coracle(...harmless(line.split(' ')))
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, message)
    assert.doesNotMatch(stderr, /\n\s+at /)
  })
}

/** Should a refusal fail to come, the server must not write to the machine's own data directory. */
function harmless([command = '', ...rest]: string[]): string[] {
  if (command !== 'server') return [command, ...rest]
  return [command, '--data-dir', join(folder, 'refused'), '--bind-address', '127.0.0.1', ...rest]
}

test('coracle server says which port is busy and leaves no data behind', async () => {
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  const port = String((busy.address() as AddressInfo).port)
  const args = ['--data-dir', join(folder, 'busy'), '--bind-address', '127.0.0.1', '--secure-port', port]
  const { code, stderr } = await coracle('server', ...args, '--storage', 'memory')
  busy.close()
  assert.equal(code, 1)
  assert.match(
    stderr,
    new RegExp(`^error: Cannot listen on 127\\.0\\.0\\.1:${port}: another program uses the port$`, 'm'),
  )
})

test('coracle server says that its data directory cannot be made', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const { code, stderr } = await coracle('server', '--data-dir', join(file, 'data'), '--bind-address', '127.0.0.1')
  assert.equal(code, 1)
  assert.match(stderr, /^error: .*data/m)
  assert.doesNotMatch(stderr, /\n\s+at /)
})

test('coracle server answers the real kubectl and ends on SIGTERM with exit code 0', async () => {
  await using server = await startServer()
  assert.match(await server.kubectl.output('version'), /^Server Version: v1\.36\./m)
  assert.equal(await server.stop(), 0)
})

test('coracle server keeps what it acknowledged when it is killed', async () => {
  const data = join(folder, 'kept')
  const uid = ['get', 'configmap', 'kept', '-o', 'jsonpath={.metadata.uid}']
  let before = ''
  {
    await using server = await startServer({ storage: 'sqlite', dataDir: data })
    await server.kubectl.output('create', 'configmap', 'kept', '--from-literal=a=1')
    before = await server.kubectl.output(...uid)
    assert.equal(await server.stop('SIGKILL'), 'SIGKILL')
  }
  assert.ok(existsSync(data))
  await using again = await startServer({ storage: 'sqlite', dataDir: data })
  assert.equal(await again.kubectl.output(...uid), before)
})
