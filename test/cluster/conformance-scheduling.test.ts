import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { TestContext } from 'node:test'
import { isPodBound, podCondition } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, PodSpec } from '#api/types/core.v1.ts'
import { namespaces, nodes, pods, priorityClasses, replicaSets, serviceAccounts } from '#api/types/resources.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { startServer, type Server } from './harness/cluster.ts'
import { isReady, TestSpace } from './harness/test-space.ts'

/** Scheduling needs no containers: the nodes of these tests are kubelets on a runtime in memory. */

let server: Server
let transport: ReturnType<typeof httpsTransport>
let client: ReturnType<typeof createClient>
let spaces = 0

before(async () => {
  server = await startServer({ flags: ['--simulated-nodes', '3'] })
  transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock })
  client = createClient(transport)
  const whole = new TestSpace({ client, kubectl: server.kubectl, namespace: '' })
  for (const name of await nodeNames()) {
    await whole.waitFor(nodes, name, ({ spec }) => (spec.taints ?? []).length === 0)
    // A resource that nobody else uses: each node has five of it.
    const status = { capacity: { [unit]: '5' }, allocatable: { [unit]: '5' } }
    await client.resource(nodes).patch(name, { type: 'merge', patch: { status } }, { subresource: 'status' })
  }
})

after(async () => {
  transport.close()
  await server[Symbol.asyncDispose]()
})

const unit = 'scheduling.k8s.io/foo'

async function nodeNames(): Promise<readonly string[]> {
  const { items } = await client.resource(nodes).list()
  return items.map(({ metadata }) => metadata.name).toSorted()
}

/** A namespace of the test's own, with its priority classes; all of it goes with the test. */
async function spaceOf(t: TestContext, priorities: Readonly<Record<string, number>> = {}): Promise<TestSpace> {
  const namespace = `scheduling-${++spaces}`
  await client.resource(namespaces).create({ metadata: { name: namespace }, spec: {} })
  const space = new TestSpace({ client, kubectl: server.kubectl, namespace })
  for (const [name, value] of Object.entries(priorities)) {
    await client.resource(priorityClasses).create({ metadata: { name }, value, description: 'of a test' })
  }
  t.after(async () => {
    await space.of(pods).deleteCollection({ body: { gracePeriodSeconds: 0 } })
    await client.resource(namespaces).delete(namespace)
    for (const name of Object.keys(priorities)) await client.resource(priorityClasses).delete(name)
    const { items } = await space.of(pods).list()
    for (const { metadata } of items) await space.waitGone(pods, metadata.name)
  })
  await space.waitFor(serviceAccounts, 'default', () => true)
  return space
}

function specOf(amount: number, more: Partial<PodSpec> = {}): PodSpec {
  const amounts = { [unit]: String(amount) }
  const resources = amount > 0 ? { requests: amounts, limits: amounts } : {}
  const containers = [{ name: 'main', image: 'registry.test/pause', resources }]
  return { terminationGracePeriodSeconds: 0, containers, ...more }
}

function create(space: TestSpace, name: string, spec: PodSpec, metadata: object = {}): Promise<Pod> {
  return space.of(pods).create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec } as Pod)
}

const placed = (space: TestSpace, name: string): Promise<Pod> => space.waitFor(pods, name, isPodBound)

/** What the scheduler says of a pod that it cannot place. */
async function refusal(space: TestSpace, name: string): Promise<string> {
  const pod = await space.waitFor(pods, name, (each) => podCondition(each, 'PodScheduled')?.status === 'False')
  assert.equal(pod.spec.nodeName, undefined)
  assert.equal(podCondition(pod, 'PodScheduled')?.reason, 'Unschedulable')
  return podCondition(pod, 'PodScheduled')?.message ?? ''
}

/** Takes four of the five units of each node. */
async function fill(space: TestSpace, priorityOf: (index: number) => Partial<PodSpec> = () => ({})): Promise<string[]> {
  const names = await nodeNames()
  for (const [index, node] of names.entries()) {
    const nodeSelector = { 'kubernetes.io/hostname': node }
    await create(space, `filler-${index}`, specOf(4, { nodeSelector, ...priorityOf(index) }))
    await placed(space, `filler-${index}`)
  }
  return names.map((_node, index) => `filler-${index}`)
}

behaviour(
  'scheduling/predicates',
  'SchedulerPredicates validates resource limits of pods that are allowed to run',
  async (t) => {
    const space = await spaceOf(t)
    await fill(space)
    await create(space, 'additional', specOf(2))
    assert.match(await refusal(space, 'additional'), new RegExp(`3 Insufficient ${unit}`))
    assert.match(await space.waitForEvent('additional', 'FailedScheduling'), /^0\/3 nodes are available: /)
    await create(space, 'small', specOf(1))
    await placed(space, 'small')
  },
)

behaviour(
  'scheduling/predicates',
  'SchedulerPredicates validates that NodeSelector is respected if matching',
  async (t) => {
    const space = await spaceOf(t)
    const [, name = ''] = await nodeNames()
    const label = { 'example.com/e2e': '42' }
    await client.resource(nodes).patch(name, { type: 'merge', patch: { metadata: { labels: label } } })
    await create(space, 'with-labels', specOf(0, { nodeSelector: label }))
    assert.equal((await placed(space, 'with-labels')).spec.nodeName, name)
  },
)

behaviour(
  'scheduling/predicates',
  'SchedulerPredicates validates that NodeSelector is respected if not matching',
  async (t) => {
    const space = await spaceOf(t)
    await create(space, 'restricted', specOf(0, { nodeSelector: { label: 'nonempty' } }))
    const message = await refusal(space, 'restricted')
    assert.match(message, /^0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector\./)
    assert.equal(await space.waitForEvent('restricted', 'FailedScheduling'), message)
  },
)

behaviour(
  'scheduling/predicates',
  'SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP',
  async (t) => {
    const space = await spaceOf(t)
    const [node = ''] = await nodeNames()
    const onPort = (hostIP: string, protocol: 'TCP' | 'UDP' = 'TCP'): PodSpec =>
      specOf(0, {
        nodeSelector: { 'kubernetes.io/hostname': node },
        containers: [
          {
            name: 'main',
            image: 'registry.test/pause',
            ports: [{ containerPort: 5_555, hostPort: 54_322, protocol, ...(hostIP !== '' && { hostIP }) }],
          },
        ],
      })
    await create(space, 'pod4', onPort(''))
    await placed(space, 'pod4')
    await create(space, 'pod5', onPort('127.0.0.1'))
    assert.match(await refusal(space, 'pod5'), /1 node\(s\) didn't have free ports for the requested pod ports/)
    await create(space, 'other-protocol', onPort('127.0.0.1', 'UDP'))
    await placed(space, 'other-protocol')
  },
)

behaviour('scheduling/preemption', 'SchedulerPreemption validates basic preemption works', async (t) => {
  const space = await spaceOf(t, { 'basic-low': 1, 'basic-medium': 100, 'basic-high': 1_000 })
  const fillers = await fill(space, (index) => ({ priorityClassName: index === 0 ? 'basic-low' : 'basic-medium' }))
  await create(space, 'preemptor', specOf(4, { priorityClassName: 'basic-high' }))
  await placed(space, 'preemptor')
  await space.waitGone(pods, 'filler-0')
  for (const name of fillers.slice(1)) {
    assert.equal((await space.of(pods).get(name)).metadata.deletionTimestamp, undefined, name)
  }
})

behaviour(
  'scheduling/preemption',
  'SchedulerPreemption validates lower priority pod preemption by critical pod',
  async (t) => {
    const space = await spaceOf(t, { 'critical-low': 1, 'critical-medium': 100 })
    await fill(space, (index) => ({ priorityClassName: index === 0 ? 'critical-low' : 'critical-medium' }))
    const system = new TestSpace({ client, kubectl: server.kubectl, namespace: 'kube-system' })
    t.after(() => system.of(pods).delete('critical-pod', { gracePeriodSeconds: 0 }))
    await create(system, 'critical-pod', specOf(4, { priorityClassName: 'system-cluster-critical' }))
    await placed(system, 'critical-pod')
    await space.waitGone(pods, 'filler-0')
  },
)

behaviour(
  'scheduling/preemption',
  'SchedulerPreemption validates pod disruption condition is added to the preempted pod',
  async (t) => {
    const space = await spaceOf(t, { 'disruption-low': 1, 'disruption-high': 1_000 })
    const [node = ''] = await nodeNames()
    const nodeSelector = { 'kubernetes.io/hostname': node }
    const finalizers = ['example.com/test-finalizer']
    const low = specOf(5, { nodeSelector, priorityClassName: 'disruption-low' })
    await create(space, 'victim-pod', low, { finalizers })
    await placed(space, 'victim-pod')
    await create(space, 'preemptor-pod', specOf(5, { nodeSelector, priorityClassName: 'disruption-high' }))
    const victim = await space.waitFor(
      pods,
      'victim-pod',
      (pod) => pod.metadata.deletionTimestamp !== undefined && podCondition(pod, 'DisruptionTarget') !== undefined,
    )
    const condition = podCondition(victim, 'DisruptionTarget')
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'PreemptionByScheduler'])
    const patch = { metadata: { finalizers: null } }
    await space.of(pods).patch('victim-pod', { type: 'merge', patch })
    await space.waitGone(pods, 'victim-pod')
    assert.equal((await placed(space, 'preemptor-pod')).spec.nodeName, node)
  },
)

behaviour(
  'scheduling/preemption',
  'SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path',
  async (t) => {
    const space = await spaceOf(t, { p1: 1, p2: 2, p3: 3, p4: 4 })
    const [node = ''] = await nodeNames()
    const fakeCpu = 'example.com/fakecpu'
    const status = { capacity: { [fakeCpu]: '1000' }, allocatable: { [fakeCpu]: '1000' } }
    await client.resource(nodes).patch(node, { type: 'merge', patch: { status } }, { subresource: 'status' })
    const spec = (amount: number, priorityClassName: string): PodSpec => {
      const amounts = { [fakeCpu]: String(amount) }
      const containers = [{ name: 'main', image: 'i', resources: { requests: amounts, limits: amounts } }]
      const nodeSelector = { 'kubernetes.io/hostname': node }
      return { terminationGracePeriodSeconds: 0, priorityClassName, nodeSelector, containers }
    }
    const levels = [
      { name: 'rs-pod1', replicas: 1, pod: spec(40, 'p1') },
      { name: 'rs-pod2', replicas: 2, pod: spec(50, 'p2') },
      { name: 'rs-pod3', replicas: 4, pod: spec(95, 'p3') },
    ]
    for (const { name, replicas, pod } of levels) {
      const labels = { name }
      const template = { metadata: { labels }, spec: pod }
      await space
        .of(replicaSets)
        .create({ metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } })
      await space.waitFor(replicaSets, name, (set) => set.status?.readyReplicas === replicas)
    }
    // 520 of 1,000 are taken: the last level needs the room of the first two, and leaves that of the third.
    await create(space, 'pod4', spec(590, 'p4'))
    await space.waitFor(pods, 'pod4', isReady)
    const readyOf = async (name: string) => (await space.of(replicaSets).get(name)).status?.readyReplicas ?? 0
    for (const name of ['rs-pod1', 'rs-pod2']) {
      await space.waitFor(replicaSets, name, ({ spec: wanted, status: seen }) => {
        return seen?.replicas === wanted?.replicas && (seen?.readyReplicas ?? 0) === 0
      })
    }
    assert.equal(await readyOf('rs-pod3'), 4)
    for (const { name, replicas } of levels) {
      const { items } = await space.of(pods).list({ labelSelector: `name=${name}` })
      assert.equal(items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length, replicas, name)
    }
    for (const { name } of levels) await space.of(replicaSets).delete(name)
  },
)

behaviour(
  'scheduling/preemption',
  'SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods',
  async (t) => {
    await spaceOf(t, { 'endpoint-p1': 1, 'endpoint-p2': 2 })
    const classes = client.resource(priorityClasses)
    const { items } = await classes.list()
    assert.deepEqual(
      items.filter(({ metadata }) => metadata.name.startsWith('endpoint-')).map(({ value }) => value),
      [1, 2],
    )
    for (const name of ['endpoint-p1', 'endpoint-p2']) {
      const described = await classes.patch(name, { type: 'merge', patch: { description: 'another' } })
      assert.equal(described.description, 'another')
      const updated = await classes.update({ ...described, description: 'a third one' })
      assert.equal(updated.description, 'a third one')
      const isRefused = (error: unknown): boolean =>
        isStatusError(error, 'Invalid') && /value.*(may not be changed|field is immutable)/i.test(error.message)
      await assert.rejects(classes.patch(name, { type: 'merge', patch: { value: 7 } }), isRefused)
      await assert.rejects(classes.update({ ...updated, value: 7 }), isRefused)
    }
  },
)
