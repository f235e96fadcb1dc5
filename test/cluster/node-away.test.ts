/**
 * Goal: a kubelet that comes back makes good what has happened meanwhile. Method: a server and one agent on a bridge of the
 * test; the agent is killed, the API or the containers change, and it is started again.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import { namespaces, nodes, pods, serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { createAgent, type Agent } from './harness/agent.ts'
import { coracle, loadImages, startServer, type Server } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'
import { startLan, type LanMember } from './harness/lan.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { outputOf } from './harness/run-program.ts'
import { busybox, isReady, TestSpace } from './harness/test-space.ts'

const stack = new AsyncDisposableStack()
let server: Server
let client: Client
let agent: Agent

before(async () => {
  if (skip !== false) return
  const lan = stack.use(await startLan(2))
  server = stack.use(await startServer({ storage: 'sqlite', bindAddress: lan.address }))
  const { stdout } = await coracle('token', 'create', '--kubeconfig', server.kubeconfig)
  const flags = ['--server', server.url, '--token', stdout.trim(), '--node-name', 'node-1']
  agent = stack.use(await createAgent(lan.members[0] as LanMember, flags))
  const transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock, maxConnections: 64 })
  stack.defer(() => transport.close())
  client = createClient(transport)
  agent.start()
  await untilReady()
  await loadImages(agent.layout)
})

after(() => stack.disposeAsync())

async function untilReady(): Promise<void> {
  const isUp = async (): Promise<true | undefined> => {
    const [node] = (await client.resource(nodes).list()).items
    return (node && isNodeReady(node)) || undefined
  }
  await eventually(isUp, { what: 'the node is ready' })
}

async function newSpace(t: TestContext, name: string): Promise<TestSpace> {
  await client.resource(namespaces).create({ metadata: { name }, spec: {} })
  t.after(() => client.resource(namespaces).delete(name))
  const space = new TestSpace({ client, kubectl: server.kubectl, namespace: name })
  await space.waitFor(serviceAccounts, 'default', () => true)
  return space
}

/** Kills the kubelet, lets something happen, and starts it again. */
async function away(happening: () => Promise<unknown>): Promise<void> {
  await agent.kill()
  try {
    await happening()
  } finally {
    agent.start()
  }
}

const folderOf = ({ metadata }: Pod): string => join(agent.layout.kubeletDir, 'pods', metadata.uid)
const bound: Partial<PodSpec> = { nodeName: 'node-1' }
const idle = 'trap exit TERM; sleep 1000 & wait'

/** Ids of what containerd has of a pod. */
async function containersOf({ metadata }: Pod): Promise<readonly string[]> {
  const filter = `labels."io.kubernetes.pod.uid"==${metadata.uid}`
  const words = ['--address', agent.layout.containerd.socket, '--namespace', 'k8s.io', 'containers', 'ls', '-q', filter]
  return (await outputOf('ctr', words)).split('\n').filter((line) => line !== '')
}

test('a pod that was removed by force meanwhile leaves nothing', { skip }, async (t) => {
  const space = await newSpace(t, 'forced')
  const pod = await space.start({ script: idle, spec: bound })
  assert.equal((await containersOf(pod)).length, 2)
  await away(() => space.of(pods).delete('pod', { gracePeriodSeconds: 0 }))
  await eventually(async () => (await containersOf(pod)).length === 0 || undefined, { what: 'its containers are gone' })
  await eventually(() => !existsSync(folderOf(pod)) || undefined, { what: 'its folder is gone' })
})

test('a pod that was to end meanwhile is ended as it asked for, with its hook', { skip }, async (t) => {
  const space = await newSpace(t, 'ending')
  const hostPath = { path: join(agent.layout.dataDir, 'ending'), type: 'DirectoryOrCreate' as const }
  const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo hooked > /v/hook'] } } }
  const container: Partial<Container> = { lifecycle, volumeMounts: [{ name: 'v', mountPath: '/v' }] }
  const spec = { ...bound, volumes: [{ name: 'v', hostPath }], terminationGracePeriodSeconds: 30 }
  const pod = await space.start({ script: idle, container, spec })
  await away(() => space.of(pods).delete('pod'))
  await space.waitGone(pods, 'pod')
  assert.ok(existsSync(join(hostPath.path, 'hook')))
  await eventually(() => !existsSync(folderOf(pod)) || undefined, { what: 'its folder is gone' })
})

test('a pod that came and was to go meanwhile goes without having run', { skip }, async (t) => {
  const space = await newSpace(t, 'brief')
  await away(async () => {
    await space.create({ script: idle, spec: { ...bound, terminationGracePeriodSeconds: 30 } })
    const unfit = { ...bound, nodeSelector: { no: 'such' }, terminationGracePeriodSeconds: 30 }
    await space.create({ name: 'unfit', script: idle, spec: unfit })
    for (const name of ['pod', 'unfit']) await space.of(pods).delete(name)
  })
  await Promise.all(['pod', 'unfit'].map((name) => space.waitGone(pods, name)))
})

test('containers that ended meanwhile are told of, and restarted where they are to be', { skip }, async (t) => {
  const space = await newSpace(t, 'ended')
  const script = 'while ! test -e /v/end; do sleep 0.1; done; exit 5'
  const hostPath = { path: join(agent.layout.dataDir, 'ended'), type: 'DirectoryOrCreate' as const }
  const container: Partial<Container> = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
  const spec = { ...bound, volumes: [{ name: 'v', hostPath }] }
  const start = (name: string, restartPolicy: 'Always' | 'Never'): Promise<Pod> =>
    space.start({ name, script, container, spec: { ...spec, restartPolicy } })
  const [never, always] = [await start('never', 'Never'), await start('always', 'Always')]
  await away(async () => {
    await outputOf('touch', [join(hostPath.path, 'end')])
    const tasks = ['--address', agent.layout.containerd.socket, '--namespace', 'k8s.io', 'tasks', 'ls']
    const ids = (await Promise.all([never, always].map(containersOf))).flat()
    // What runs on are the two sandboxes.
    const areOver = async (): Promise<true | undefined> => {
      const lines = (await outputOf('ctr', tasks)).split('\n').filter((line) => ids.some((id) => line.startsWith(id)))
      return lines.filter((line) => line.includes('RUNNING')).length === 2 || undefined
    }
    await eventually(areOver, { what: 'both containers have ended' })
  })
  const ended = await space.waitFor(pods, 'never', ({ status }) => status?.phase === 'Failed')
  assert.equal(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 5)
  await space.waitFor(pods, 'always', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1)
})

test('a pod that is not ready any more says so at once, and one that runs on was not touched', { skip }, async (t) => {
  const space = await newSpace(t, 'ready')
  const readinessProbe = { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 }
  const start = (name: string): Promise<Pod> =>
    space.start({
      name,
      script: `touch /tmp/ready; ${idle}`,
      container: { image: busybox, readinessProbe },
      spec: bound,
    })
  const [stays] = [await start('stays'), await start('fails')]
  await space.exec('fails', 'main', 'rm', '/tmp/ready')
  await away(async () => undefined)
  await space.waitFor(pods, 'fails', (pod) => !isReady(pod))
  const again = await space.waitFor(pods, 'stays', isReady)
  assert.deepEqual(again.status?.containerStatuses, stays.status?.containerStatuses)
})
