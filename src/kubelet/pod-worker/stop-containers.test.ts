import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { ExecResult } from '../cri/container.ts'
import type { ContainerBehaviour } from '../simulated/behaviour.ts'
import { PodWorld } from './pod-world.case.ts'

function containers(byName: Readonly<Record<string, ContainerBehaviour>>) {
  return { container: ({ name }: { readonly name: string }) => byName[name] ?? {} }
}

const ended: ExecResult = { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

test('all preStop hooks begin at once, and sidecars end after the main container in reverse order', async () => {
  const log: string[] = []
  const world = new PodWorld(
    containers(
      Object.fromEntries(
        ['one', 'two', 'main'].map((name) => [
          name,
          {
            stopDelayMs: 1_000,
            exec: () => {
              log.push(`${world.clock.monotonic()} ${name} is to stop`)
              return ended
            },
          },
        ]),
      ),
    ),
  )
  const lifecycle = { preStop: { exec: { command: ['bye'] } } }
  world.create('p', {
    initContainers: ['one', 'two'].map((name) => ({ name, image: 'i', restartPolicy: 'Always', lifecycle })),
    containers: [{ name: 'main', image: 'i', lifecycle }],
  })
  await world.settle()
  world.askToDelete('p', 30)
  await world.settle(0)
  assert.deepEqual(log, ['0 main is to stop', '0 two is to stop', '0 one is to stop'])
  const running = async (): Promise<string[]> =>
    (await world.runtime.listContainers()).filter(({ state }) => state === 'running').map(({ name }) => name)
  assert.deepEqual(await running(), ['one', 'two', 'main'])
  await world.settle(1_100)
  assert.deepEqual(await running(), ['one', 'two'])
  await world.settle(1_000)
  assert.deepEqual(await running(), ['one'])
  await world.settle(1_000)
  assert.deepEqual(world.deleted, ['p'])
  await world.stop()
})

test('whatever has used up the grace period, each container gets two seconds', async () => {
  const world = new PodWorld(containers({ main: { stopDelayMs: 60_000 }, side: { stopDelayMs: 60_000 } }))
  world.create('p', {
    initContainers: [{ name: 'side', image: 'i', restartPolicy: 'Always' }],
    containers: [{ name: 'main', image: 'i', lifecycle: { preStop: { sleep: { seconds: 60 } } } }],
  })
  await world.settle()
  world.askToDelete('p', 5)
  await world.settle(6_900)
  assert.deepEqual(world.deleted, [])
  await world.settle(200)
  assert.deepEqual(world.deleted, ['p'])
  await world.stop()
})

test('a hook that fails says why in the status, and keeps it out of the events', async () => {
  const failed = { exitCode: 5, stdout: Buffer.from('a secret'), stderr: Buffer.alloc(0) }
  const world = new PodWorld(containers({ c: { exec: () => failed } }))
  const command = { exec: { command: ['hello', 'you'] } }
  world.create('p', { containers: [{ name: 'c', image: 'i', lifecycle: { postStart: command, preStop: command } }] })
  await world.settle()
  const { state } = world.get('p')?.status?.containerStatuses?.[0] ?? {}
  assert.deepEqual(state?.waiting, {
    reason: 'PostStartHookError',
    message:
      'Exec lifecycle hook ([hello you]) for Container "c" in Pod "p_ns(uid-p)" failed - error: ' +
      'command \'hello you\' exited with 5: a secret, message: "a secret"',
  })
  const told = world.events.filter((event) => /Hook/.test(event))
  assert.deepEqual(told, [
    'FailedPostStartHook: PostStartHook failed',
    'Killing: FailedPostStartHook',
    'FailedPreStopHook: PreStopHook failed',
  ])
  await world.stop()
})

test('an HTTP hook succeeds with any answer', async (t) => {
  const agents: (string | undefined)[] = []
  const server = createServer(({ headers }, response) => {
    agents.push(headers['user-agent'])
    response.writeHead(500).end()
  }).listen(0, '127.0.0.1')
  t.after(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const world = new PodWorld()
  const postStart = { httpGet: { host: '127.0.0.1', port } }
  world.create('p', { containers: [{ name: 'c', image: 'i', lifecycle: { postStart } }] })
  while (agents.length === 0 || world.summary('p') !== 'Running c=running#0+') await world.settle()
  assert.deepEqual(agents, ['kube-lifecycle/1.36'])
  await world.stop()
})
