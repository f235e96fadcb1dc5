/**
 * Goal: a volume moves between machines and is never at two of them. Method: two agents in network namespaces, on each a
 * CSI driver of our own over one and the same storage, and a player of the sidecars.
 */
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import {
  csiDrivers,
  csiNodes,
  namespaces,
  nodes,
  persistentVolumeClaims,
  pods,
  serviceAccounts,
  storageClasses,
} from '#api/types/resources.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { CsiTestDriver } from '../csi-driver/csi-driver.ts'
import { Sidecars } from '../csi-driver/sidecars.ts'
import { createAgent, type Agent } from './harness/agent.ts'
import { coracle, loadImages, startServer } from './harness/cluster.ts'
import { startLan, type LanMember } from './harness/lan.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { TestSpace } from './harness/test-space.ts'

const names = ['node-1', 'node-2'] as const
const driverName = 'csi.coracle.test'

let stack: AsyncDisposableStack
let space: TestSpace
let agents: readonly Agent[]

before(async () => {
  if (skip !== false) return
  stack = new AsyncDisposableStack()
  const lan = stack.use(await startLan(names.length))
  const server = stack.use(await startServer({ storage: 'memory', bindAddress: lan.address }))
  const { stdout } = await coracle('token', 'create', '--kubeconfig', server.kubeconfig)
  const flags = (name: string): string[] => ['--server', server.url, '--token', stdout.trim(), '--node-name', name]
  agents = await Promise.all(names.map((name, index) => createAgent(lan.members[index] as LanMember, flags(name))))
  for (const agent of agents) stack.use(agent).start()
  const transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock, maxConnections: 64 })
  stack.defer(() => transport.close())
  const client = createClient(transport)
  space = new TestSpace({ client, kubectl: server.kubectl, namespace: 'moving' })
  const isReady = (node: Node): boolean => isNodeReady(node)
  await Promise.all(
    names.map((name) =>
      server.kubectl.waitFor<Node>(['nodes'], (node) => node.metadata.name === name && isReady(node)),
    ),
  )
  await Promise.all(agents.map(({ layout }) => loadImages(layout)))
  await client.resource(namespaces).create({ metadata: { name: 'moving' }, spec: {} })
  await client.resource(csiDrivers).create({ metadata: { name: driverName }, spec: { attachRequired: true } })
  await client.resource(storageClasses).create({ metadata: { name: 'test' }, provisioner: driverName } as never)
  const folder = await mkdtemp('/var/tmp/coracle-csi-')
  for (const [index, { layout }] of agents.entries())
    stack.use(
      await CsiTestDriver.start({
        ...{ name: driverName, folder, kubeletDir: layout.kubeletDir, nodeId: names[index] ?? '' },
      }),
    )
  stack.use(new Sidecars({ client, driver: driverName }))
  for (const name of names)
    await space.waitFor(csiNodes, name, ({ spec }) => (spec.drivers as object[] | null)?.length === 1)
  await space.waitFor(serviceAccounts, 'default', () => true)
})

after(async () => {
  if (skip === false) await stack.disposeAsync()
})

function create(name: string, node: string, script: string): Promise<Pod> {
  return space.create({
    name,
    script,
    container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    spec: {
      nodeSelector: { 'kubernetes.io/hostname': node },
      terminationGracePeriodSeconds: 1,
      tolerations: [{ operator: 'Exists' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  })
}

const running = (name: string): Promise<Pod> =>
  space.waitFor(pods, name, ({ status }) => status?.phase === 'Running', 30_000)
const attachedTo = async (node: string): Promise<number> =>
  (await space.client.resource(nodes).get(node)).status?.volumesAttached?.length ?? 0

test('a volume that one machine has is refused to the other, and follows once it is free', { skip }, async () => {
  await space.of(persistentVolumeClaims).create({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } }, storageClassName: 'test' },
  })
  await create('first', 'node-1', 'echo first > /v/file; sleep 3600')
  await running('first')
  assert.deepEqual([await attachedTo('node-1'), await attachedTo('node-2')], [1, 0])
  await create('second', 'node-2', 'cat /v/file; echo second > /v/file; sleep 3600')
  const told = await space.waitForEvent('second', 'FailedAttachVolume')
  assert.match(told, /^Multi-Attach error for volume "pvc-[^"]+" Volume is already used by pod\(s\) first$/)
  await space.of(pods).delete('first')
  await running('second')
  assert.equal(await space.log('second'), 'first\n')
  assert.deepEqual([await attachedTo('node-1'), await attachedTo('node-2')], [0, 1])
})

test('a machine that is said to be out of service has its volume taken away', { skip }, async () => {
  await agents[1]?.kill()
  await create('third', 'node-1', 'cat /v/file; sleep 3600')
  await space.waitForEvent('third', 'FailedAttachVolume', /already used by pod\(s\) second/)
  const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
  await space.client.resource(nodes).patch('node-2', { type: 'strategic', patch: { spec: { taints: [taint] } } })
  await space.of(pods).delete('second')
  await running('third')
  assert.equal(await space.log('third'), 'second\n')
})
