import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { PodSpec } from '#api/types/core.v1.ts'
import {
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  priorityClasses,
  storageClasses,
} from '#api/types/resources.ts'
import { defineProfile } from '#scheduler/profile.ts'
import { schedulingCluster, type SchedulingCluster } from './scheduling-cluster.ts'

const cpu = (amount: string): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: amount } } }],
})

async function placed({ until, pod }: SchedulingCluster, name: string): Promise<string> {
  await until(`${name} is placed`, async () => (await pod(name)).spec.nodeName !== undefined)
  return (await pod(name)).spec.nodeName as string
}

async function refused({ until, pod }: SchedulingCluster, name: string): Promise<string> {
  const condition = async () => podCondition(await pod(name), 'PodScheduled')
  await until(`${name} is refused`, async () => (await condition())?.status === 'False')
  return (await condition())?.message ?? ''
}

async function addPriority({ client }: SchedulingCluster, name: string, value: number): Promise<void> {
  await client.resource(priorityClasses).create({ metadata: { name }, value })
}

test('pods are bound over the nodes, and told of', async (t) => {
  const cluster = await schedulingCluster(t)
  for (const name of ['n1', 'n2', 'n3']) await cluster.addNode(name)
  for (let index = 0; index < 9; index++) await cluster.addPod(`p${index}`)
  const places: string[] = []
  for (let index = 0; index < 9; index++) places.push(await placed(cluster, `p${index}`))
  for (const name of ['n1', 'n2', 'n3']) assert.equal(places.filter((place) => place === name).length, 3)
  await cluster.until('the event is written', async () => (await cluster.told('p0', 'Scheduled')).length > 0)
  assert.deepEqual(await cluster.told('p0', 'Scheduled'), [`Successfully assigned test/p0 to ${places[0]}`])
  assert.equal(cluster.scheduler.explain('test/p0')?.node, places[0])
})

test('a pod that no node takes says why, and is placed when a node comes', async (t) => {
  const cluster = await schedulingCluster(t)
  await cluster.addPod('p', cpu('3'))
  assert.equal(await refused(cluster, 'p'), 'no nodes available to schedule pods')
  await cluster.addNode('small')
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: ' +
    '0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
  await cluster.addPod('q', cpu('3'))
  assert.equal(await refused(cluster, 'q'), message)
  await cluster.until('the event is written', async () =>
    (await cluster.told('q', 'FailedScheduling')).includes(message),
  )
  const explained = cluster.scheduler.explain('test/q')
  assert.deepEqual(explained?.nodes, [
    {
      node: 'small',
      plugin: 'NodeResourcesFit',
      reason: 'Insufficient cpu',
      unresolvable: true,
      missing: [{ resource: 'cpu', requested: 3_000, free: 2_000 }],
      remedy: 'request at most the 2 cpu that small has, or add a larger node',
    },
  ])
  await cluster.addNode('large', {}, { cpu: '8' })
  assert.equal(await placed(cluster, 'p'), 'large')
  assert.equal(await placed(cluster, 'q'), 'large')
  const condition = podCondition(await cluster.pod('q'), 'PodScheduled')
  assert.equal(condition?.status, 'True')
})

test('a pod waits for its gates and not for others', async (t) => {
  const cluster = await schedulingCluster(t)
  await cluster.addNode('n1')
  await cluster.addPod('gated', { schedulingGates: [{ name: 'example.com/wait' }] })
  await cluster.addPod('free')
  assert.equal(await placed(cluster, 'free'), 'n1')
  const gated = await cluster.pod('gated')
  assert.equal(gated.spec.nodeName, undefined)
  assert.equal(podCondition(gated, 'PodScheduled')?.reason, 'SchedulingGated')
  assert.equal(cluster.scheduler.explain('test/gated')?.message, 'waiting for scheduling gates: [example.com/wait]')
  const patch = { spec: { schedulingGates: null } }
  await cluster.client.resource(pods, 'test').patch('gated', { type: 'merge', patch })
  assert.equal(await placed(cluster, 'gated'), 'n1')
})

test('the more important of two waiting pods gets the room', async (t) => {
  const cluster = await schedulingCluster(t)
  await addPriority(cluster, 'high', 1_000)
  await cluster.addPod('low', cpu('2'))
  await cluster.addPod('high', { ...cpu('2'), priorityClassName: 'high' })
  await refused(cluster, 'high')
  await cluster.addNode('n1')
  assert.equal(await placed(cluster, 'high'), 'n1')
  assert.match(await refused(cluster, 'low'), /Insufficient cpu|no nodes available/)
})

test('a more important pod preempts a lesser one, which learns why', async (t) => {
  const cluster = await schedulingCluster(t)
  const collection = cluster.client.resource(pods, 'test')
  await addPriority(cluster, 'high', 1_000)
  await cluster.addNode('n1')
  await cluster.addNode('n2')
  for (const [name, app] of [
    ['kept', 'kept'],
    ['spare', 'spare'],
  ] as const) {
    await cluster.addPod(name, cpu('2'), { labels: { app }, finalizers: ['example.com/stay'] })
    await placed(cluster, name)
  }
  const budget = { selector: { matchLabels: { app: 'kept' } }, minAvailable: 1 }
  await cluster.client.resource(podDisruptionBudgets, 'test').create({ metadata: { name: 'kept' }, spec: budget })
  await cluster.addPod('urgent', { ...cpu('1500m'), priorityClassName: 'high' })
  const target = async () => podCondition(await cluster.pod('spare'), 'DisruptionTarget')
  await cluster.until('the lesser pod is told to go', async () => (await target()) !== undefined)
  assert.equal((await target())?.reason, 'PreemptionByScheduler')
  assert.equal((await target())?.message, 'default-scheduler: preempting to accommodate a higher priority pod')
  const spare = await cluster.pod('spare')
  const urgent = async () => cluster.pod('urgent')
  await cluster.until('it is nominated', async () => (await urgent()).status?.nominatedNodeName !== undefined)
  assert.equal((await urgent()).status?.nominatedNodeName, spare.spec.nodeName)
  await cluster.until(
    'it is being deleted',
    async () => (await cluster.pod('spare')).metadata.deletionTimestamp !== undefined,
  )
  assert.equal((await cluster.pod('kept')).metadata.deletionTimestamp, undefined)
  const expected = [`Preempted by pod ${(await urgent()).metadata.uid} on node ${spare.spec.nodeName}`]
  await cluster.until('the event is written', async () => (await cluster.told('spare', 'Preempted')).length > 0)
  assert.deepEqual(await cluster.told('spare', 'Preempted'), expected)
  await cluster.addPod('small', cpu('1'))
  await refused(cluster, 'small')
  await collection.patch('spare', { type: 'merge', patch: { metadata: { finalizers: null } } })
  await collection.delete('spare', { gracePeriodSeconds: 0 }).catch(() => undefined)
  assert.equal(await placed(cluster, 'urgent'), spare.spec.nodeName)
  assert.equal((await urgent()).status?.nominatedNodeName, undefined)
})

test('anti-affinity holds over the API, and a relabelled node lets a waiting pod in', async (t) => {
  const cluster = await schedulingCluster(t)
  await cluster.addNode('n1', { zone: 'a' })
  await cluster.addNode('n2', { zone: 'a' })
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'x' } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const labels = { app: 'x' }
  await cluster.addPod('first', { affinity }, { labels })
  const first = await placed(cluster, 'first')
  await cluster.addPod('second', { affinity }, { labels })
  assert.match(await refused(cluster, 'second'), /2 node\(s\) didn't match pod anti-affinity rules/)
  const other = first === 'n1' ? 'n2' : 'n1'
  await cluster.client.resource(nodes).patch(other, { type: 'merge', patch: { metadata: { labels: { zone: 'b' } } } })
  assert.equal(await placed(cluster, 'second'), other)
})

test('each profile places the pods that name it', async (t) => {
  const profiles = [defineProfile(), defineProfile({ schedulerName: 'careless', disabled: ['TaintToleration'] })]
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1')
  const patch = { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }
  await cluster.client.resource(nodes).patch('n1', { type: 'merge', patch })
  await cluster.addPod('careful')
  await cluster.addPod('careless', { schedulerName: 'careless' })
  await cluster.addPod('foreign', { schedulerName: 'someone-else' })
  assert.equal(await placed(cluster, 'careless'), 'n1')
  assert.match(await refused(cluster, 'careful'), /untolerated taint/)
  assert.equal(podCondition(await cluster.pod('foreign'), 'PodScheduled'), undefined)
})

test('a claim that waits for its pod gets its node first, and the pod follows when it is bound', async (t) => {
  const cluster = await schedulingCluster(t)
  const { client } = cluster
  await cluster.addNode('n1')
  const provisioner = 'csi.example.com'
  const volumeBindingMode = 'WaitForFirstConsumer'
  await client.resource(storageClasses).create({ metadata: { name: 'late' }, provisioner, volumeBindingMode })
  const claims = client.resource(persistentVolumeClaims, 'test')
  const shape = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'late',
  }
  await cluster.addPod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })
  assert.match(await refused(cluster, 'p'), /^0\/1 nodes are available: persistentvolumeclaim "data" not found\. /)
  await claims.create({ metadata: { name: 'data' }, spec: shape })
  const selected = async () => (await claims.get('data')).metadata.annotations?.['volume.kubernetes.io/selected-node']
  await cluster.until('a node is selected', async () => (await selected()) !== undefined)
  assert.equal(await selected(), 'n1')
  await cluster.clock.advance(5_000)
  assert.equal((await cluster.pod('p')).spec.nodeName, undefined)
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' }
  await claims.patch('data', { type: 'merge', patch: { metadata: { annotations }, spec: { volumeName: 'pv' } } })
  assert.equal(await placed(cluster, 'p'), 'n1')
})

test('of two claims that want one volume, one gets it', async (t) => {
  const cluster = await schedulingCluster(t)
  const { client } = cluster
  await cluster.addNode('n1')
  const provisioner = 'kubernetes.io/no-provisioner'
  const volumeBindingMode = 'WaitForFirstConsumer'
  await client.resource(storageClasses).create({ metadata: { name: 'late' }, provisioner, volumeBindingMode })
  const shape = { accessModes: ['ReadWriteOnce'], storageClassName: 'late' }
  const size = { storage: '1Gi' }
  const volume = { ...shape, capacity: size, hostPath: { path: '/x' } }
  const volumes = client.resource(persistentVolumes)
  await volumes.create({ metadata: { name: 'pv' }, spec: volume })
  const status = { phase: 'Available' }
  await volumes.patch('pv', { type: 'merge', patch: { status } }, { subresource: 'status' })
  for (const name of ['one', 'two']) {
    const spec = { ...shape, resources: { requests: size } }
    await client.resource(persistentVolumeClaims, 'test').create({ metadata: { name }, spec })
    await cluster.addPod(name, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] })
  }
  const owner = async () => (await volumes.get('pv')).spec.claimRef?.name
  await cluster.until('the volume is taken', async () => (await owner()) !== undefined)
  const loser = (await owner()) === 'one' ? 'two' : 'one'
  assert.match(await refused(cluster, loser), /1 node\(s\) didn't find available persistent volumes to bind/)
})
