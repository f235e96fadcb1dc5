/**
 * Goal: machines that join with a token make one cluster. Method: a server on a bridge of the test, two agents in network
 * namespaces on it, each with its own containerd, and the real kubectl; each test builds on those before it.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { createAgent, failingAgent } from './harness/agent.ts'
import type { Agent } from './harness/agent.ts'
import { coracle, loadImages, startServer } from './harness/cluster.ts'
import type { Server } from './harness/cluster.ts'
import { startLan } from './harness/lan.ts'
import type { Lan, LanMember } from './harness/lan.ts'
import { assertNoTrace, machineTrace } from './harness/machine-trace.ts'
import type { MachineTrace } from './harness/machine-trace.ts'
import { podManifest, webManifest } from './harness/manifests.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { allAnswer, networkClient, startNetworkClient, type NetworkClient } from './harness/network-client.ts'
import { nodePortUrl, request, requestsDuring } from './harness/requests.ts'
import { TestSpace } from './harness/test-space.ts'

const names = ['node-1', 'node-2'] as const
const page = 'coracle test nginx version 1\n'

let clean: MachineTrace
let stack: AsyncDisposableStack
let lan: Lan
let server: Server
let token: string
let agents: readonly Agent[]

before(async () => {
  if (skip !== false) return
  clean = await machineTrace()
  stack = new AsyncDisposableStack()
  lan = stack.use(await startLan(names.length + 1))
  server = stack.use(await startServer({ storage: 'sqlite', bindAddress: lan.address }))
  token = await newToken()
  const flags = (name: string): string[] => ['--server', server.url, '--token', token, '--node-name', name]
  agents = await Promise.all(names.map((name, index) => createAgent(member(index), flags(name))))
  for (const agent of agents) stack.use(agent).start()
  await Promise.all(names.map((name) => ready(name)))
  await Promise.all(agents.map(({ layout }) => loadImages(layout)))
})

after(async () => {
  if (skip === false) await stack.disposeAsync()
})

async function newToken(...flags: readonly string[]): Promise<string> {
  const { stdout, stderr } = await coracle('token', 'create', '--kubeconfig', server.kubeconfig, ...flags)
  assert.match(stdout, /^[a-z0-9]{6}\.[a-z0-9]{16}\.sha256-[0-9a-f]{64}\n$/, stderr)
  return stdout.trim()
}

function member(index: number): LanMember {
  return lan.members[index] as LanMember
}

function ready(name: string): Promise<Node> {
  const { kubectl } = server
  return kubectl.waitFor<Node>(['nodes'], (node) => node.metadata.name === name && isNodeReady(node), 30_000)
}

/** A pod that stays on one node. */
function podOn(node: string): object {
  const name = `client-${node}`
  const { spec, ...rest } = podManifest(name) as { spec: object }
  return { ...rest, spec: { ...spec, nodeSelector: { 'kubernetes.io/hostname': node } } }
}

async function webPods(): Promise<readonly Pod[]> {
  const found = await server.kubectl.list<Pod>('pods', '--selector', 'app=web')
  return found.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

const get = (node: string, url: string): Promise<string> =>
  server.kubectl.output('exec', `client-${node}`, '--', 'wget', '-qO-', url)

test('both machines are nodes with pod addresses of their own', { skip }, async () => {
  const nodes = await server.kubectl.list<Node>('nodes')
  const cidrs = nodes.map(({ spec }) => spec?.podCIDR)
  assert.deepEqual(new Set(cidrs), new Set(['10.244.0.0/24', '10.244.1.0/24']))
})

behaviour(
  'architecture/conformance',
  'Conformance Tests should have at least two untainted nodes',
  async () => {
    const nodes = await server.kubectl.list<Node>('nodes')
    const free = nodes.filter((node) => isNodeReady(node) && !node.spec?.unschedulable && !node.spec?.taints?.length)
    assert.ok(free.length >= 2)
  },
  { skip },
)

test('a Deployment spreads over both', { skip }, async () => {
  const { kubectl } = server
  await kubectl.apply(webManifest({ replicas: 4 }))
  for (const name of names) await kubectl.apply(podOn(name))
  await kubectl.output('rollout', 'status', 'deployment/web', '--timeout=60s')
  await kubectl.output('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s')
  const used = new Set((await webPods()).map(({ spec }) => spec.nodeName))
  assert.deepEqual(used, new Set(names))
})

test('pods reach the pods of the other node by address', { skip }, async () => {
  for (const node of names) {
    for (const { status } of await webPods()) assert.equal(await get(node, `http://${status?.podIP}`), page)
  }
})

test('pods on both nodes reach the Service by name', { skip }, async () => {
  for (const node of names) {
    for (const name of ['web', 'web.default.svc.cluster.local']) assert.equal(await get(node, `http://${name}`), page)
  }
})

test('the node port of either node leads to the Service', { skip }, async () => {
  const url = new URL(await nodePortUrl(server.kubectl, 'web'))
  for (const { address } of lan.members.slice(0, names.length)) {
    assert.equal(await request(`http://${address}:${url.port}`), page)
  }
})

describe('networking', { skip }, () => {
  const area = 'common/network/networking'
  const servers = names.map((node) => `echo-${node}`)
  let space: TestSpace
  const addresses = new Map<string, string>()

  before(async () => {
    const access = readKubeconfig(server.kubeconfig)
    const transport = httpsTransport({ ...access, clock: systemClock, maxConnections: 16 })
    stack.defer(() => transport.close())
    space = new TestSpace({ client: createClient(transport), kubectl: server.kubectl, namespace: 'default' })
    for (const [index, nodeName] of names.entries()) {
      const name = servers[index] ?? ''
      const pod = await space.start({ name, container: { image: 'coracle.test/echo:1' }, spec: { nodeName } })
      addresses.set(name, pod.status?.podIP ?? '')
    }
  })

  /** From a pod on each node, or from each node itself, to the servers on both. */
  const reachesAll = async (
    hostNetwork: boolean,
    ask: (client: NetworkClient, address: string) => Promise<string>,
  ): Promise<void> => {
    for (const nodeName of names) {
      const name = `${hostNetwork ? 'machine' : 'pod'}-on-${nodeName}`
      const known = (await space.of(pods).list({ fieldSelector: `metadata.name=${name}` })).items.length > 0
      const client = await (known
        ? networkClient(space, name)
        : startNetworkClient(space, { name, hostNetwork, nodeName }))
      for (const [server, address] of addresses) await allAnswer(() => ask(client, address), [server])
    }
  }
  const http = (client: NetworkClient, address: string): Promise<string> => client.hostname(`http://${address}:8080`)
  const udp = (client: NetworkClient, address: string): Promise<string> => client.datagram(address, 8080)

  behaviour(area, 'Networking Granular Checks: Pods should function for intra-pod communication: http', () =>
    reachesAll(false, http),
  )
  behaviour(area, 'Networking Granular Checks: Pods should function for intra-pod communication: udp', () =>
    reachesAll(false, udp),
  )
  behaviour(area, 'Networking Granular Checks: Pods should function for node-pod communication: http', () =>
    reachesAll(true, http),
  )
  behaviour(area, 'Networking Granular Checks: Pods should function for node-pod communication: udp', () =>
    reachesAll(true, udp),
  )
})

test('logs and exec reach pods on both nodes', { skip }, async () => {
  for (const { metadata } of await webPods()) {
    assert.match(await server.kubectl.output('logs', metadata.name), /"GET \/ HTTP\/1\.1" 200/)
    assert.equal(await server.kubectl.output('exec', metadata.name, '--', 'hostname'), `${metadata.name}\n`)
  }
})

test('an agent that was killed goes on without its token, and adopts its pods', { skip }, async () => {
  const agent = agents[0] as Agent
  const containers = async (): Promise<string[]> => {
    const pods = await server.kubectl.list<Pod>('pods')
    const statuses = pods.flatMap(({ status }) => status?.containerStatuses ?? [])
    return statuses.map(({ containerID, restartCount }) => `${containerID} ${restartCount}`).toSorted()
  }
  const earlier = await containers()
  const traffic = await requestsDuring(await nodePortUrl(server.kubectl, 'web'), async () => {
    await agent.kill()
    agent.start('--server', server.url, '--node-name', 'node-1')
    await server.kubectl.apply({ ...podOn('node-1'), metadata: { name: 'afterwards' } })
    await server.kubectl.output('wait', '--for=condition=Ready', 'pod/afterwards', '--timeout=30s')
    await server.kubectl.output('delete', 'pod', 'afterwards')
  })
  assert.deepEqual(traffic.failures, [])
  assert.deepEqual(await containers(), earlier)
  assert.equal(await get('node-2', 'http://web'), page)
})

test('drain moves the pods to the other node', { skip }, async () => {
  const { kubectl } = server
  await kubectl.output('drain', 'node-2', '--force', '--ignore-daemonsets', '--timeout=60s')
  await kubectl.output('rollout', 'status', 'deployment/web', '--timeout=60s')
  const pods = await webPods()
  assert.equal(pods.length, 4)
  assert.deepEqual([...new Set(pods.map(({ spec }) => spec.nodeName))], ['node-1'])
  assert.equal(await get('node-1', 'http://web'), page)
})

const wrongHash = (): string => token.replace(/.{64}$/, 'ab'.repeat(32))
const wrongSecret = (): string => token.replace(/\.\w{16}\./, '.0123456789abcdef.')

const refusals: readonly [what: string, flags: () => Promise<string[]>, message: RegExp][] = [
  [
    'with a wrong token',
    async () => ['--server', server.url, '--token', wrongSecret()],
    /^error: The server does not accept the token: it is wrong, or has expired\./,
  ],
  [
    'with an expired token',
    async () => ['--server', server.url, '--token', await newToken('--ttl', '1ms')],
    /^error: The server does not accept the token: it is wrong, or has expired\./,
  ],
  [
    "with another cluster's token",
    async () => ['--server', server.url, '--token', wrongHash()],
    /^error: The server at \S+ is not the one the token was made for: its certificate authority has another key\./,
  ],
  [
    'with a token that does not prove the server',
    async () => ['--server', server.url, '--token', token.slice(0, 23)],
    /^error: Cannot use the token: it lacks the part that proves the server/,
  ],
  [
    'without a token',
    async () => ['--server', server.url],
    /^error: This machine has not joined the cluster yet: --token is needed\./,
  ],
  [
    'at a server that does not answer',
    async () => ['--server', `https://${lan.address}:1`, '--token', token],
    /^error: Cannot reach https:\/\/\S+:1: connect ECONNREFUSED/,
  ],
  [
    'with the name of another node',
    async () => ['--server', server.url, '--token', token, '--node-name', 'node-1'],
    /^error: The cluster already has a node "node-1", at \S+\. Choose another name with --node-name/,
  ],
  ['without a server', async () => ['--token', token], /^error: --server is needed/],
]

for (const [what, flags, message] of refusals) {
  test(`an agent ${what} ends with one clear line`, { skip }, async () => {
    const { code, stdout, stderr } = await failingAgent(member(names.length), [
      '--node-name',
      'node-3',
      ...(await flags()),
    ])
    assert.match(stderr, message)
    assert.deepEqual([code, stdout, stderr.trim().split('\n').length], [1, '', 1])
  })
}

test('down removes a node from its machine without a trace', { skip }, async () => {
  await stack.disposeAsync()
  await assertNoTrace(clean)
})
