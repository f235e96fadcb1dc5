/**
 * Goal: the static policies give guaranteed containers processors and memory of their own, the rest to everybody else,
 * and keep to it whatever happens to the kubelet. Method: one node with both policies; pods tell where they may run.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodes, pods } from '#api/types/resources.ts'
import { formatCpuList, parseCpuList } from '#kubelet/cpus/cpu-list.ts'
import { detectCgroups } from '#lib/cgroup-layout.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const cpus = availableParallelism()
const skip = cpus < 2 ? 'needs two processors' : skipWithoutRoot
const all = `0-${cpus - 1}`
const configuration = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cpuManagerPolicy: static
reservedSystemCPUs: "0"
memoryManagerPolicy: Static
kubeReserved: { memory: 200Mi, pid: "1000" }
evictionHard: { memory.available: 100Mi }
reservedMemory: [{ numaNode: 0, limits: { memory: 300Mi } }]
topologyManagerPolicy: single-numa-node
podPidsLimit: 200
`
const shared = sharedCluster({
  async flags(folder) {
    const file = join(folder, 'kubelet.yaml')
    await writeFile(file, configuration)
    return ['--config', file]
  },
})

const whole = { cpu: '1', memory: '64Mi' }
const guaranteed: Pick<TestPod, 'container'> = { container: { resources: { requests: whole, limits: whole } } }
const script = 'sleep 100000'

/** Where the first process of the pod may run. */
async function allowed(space: TestSpace, name: string): Promise<string> {
  const status = await space.exec(name, 'main', 'cat', '/proc/1/status')
  return /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? status
}

function becomes(space: TestSpace, name: string, list: string): Promise<true> {
  const look = async (): Promise<true | undefined> => ((await allowed(space, name)) === list ? true : undefined)
  return eventually(look, { what: `${name} may run on ${list}` })
}

/** Where the controllers of cgroup v1 are; nothing on a machine with v2. */
async function v1Layout(): Promise<{ readonly controllers: Readonly<Record<string, string>> }> {
  const layout = await detectCgroups()
  return layout.version === 1 ? layout : { controllers: {} }
}

function state(): Promise<string> {
  return readFile(join(shared.cluster.layout.kubeletDir, 'cpu_manager_state'), 'utf8')
}

test('a guaranteed pod has a processor alone; others have the rest, also after a kill -9', { skip }, async (t) => {
  const space = await shared.space(t)
  await space.start({ name: 'burstable', script, container: { resources: { requests: { memory: '16Mi' } } } })
  assert.equal(await allowed(space, 'burstable'), all)
  const { metadata } = await space.start({ name: 'guaranteed', script, ...guaranteed })
  assert.equal(await allowed(space, 'guaranteed'), '1')
  const rest = formatCpuList(parseCpuList(all).difference(new Set([1])))
  await becomes(space, 'burstable', rest)
  await space.start({ name: 'late', script })
  assert.equal(await allowed(space, 'late'), rest)
  assert.match(await state(), new RegExp(`"${metadata.uid}":{"main":"1"}`))
  const memory = await readFile(join(shared.cluster.layout.kubeletDir, 'memory_manager_state'), 'utf8')
  assert.match(
    memory,
    new RegExp(`"${metadata.uid}":{"main":\\[{"numaAffinity":\\[0\\],"type":"memory","size":67108864}\\]}`),
  )

  await shared.cluster.signal('SIGKILL')
  await shared.cluster.up()
  await space.start({ name: 'later', script })
  for (const name of ['burstable', 'late', 'later']) assert.equal(await allowed(space, name), rest)
  assert.equal(await allowed(space, 'guaranteed'), '1')

  await space.of(pods).delete('guaranteed')
  for (const name of ['burstable', 'late', 'later']) await becomes(space, name, all)
  assert.match(await state(), new RegExp(`"defaultCpuSet":"${all}","entries":{}`))
})

test('a pod that has run to its end leaves its processors, although its object is still there', { skip }, async (t) => {
  const space = await shared.space(t)
  await space.start({ name: 'others', script })
  await space.create({ name: 'finished', script: 'sleep 1', ...guaranteed })
  await space.waitFor(pods, 'finished', ({ status }) => status?.phase === 'Succeeded')
  await becomes(space, 'others', all)
})

test('a pod that asks for more processors alone than are left is refused', { skip }, async (t) => {
  const space = await shared.space(t)
  const many = { cpu: String(cpus - 1), memory: '32Mi' }
  const asks = { container: { resources: { requests: many, limits: many } }, spec: { nodeName: 'node-1' } }
  // With time to end its object stays until nothing of it runs.
  await space.start({ name: 'first', script, ...asks, spec: { terminationGracePeriodSeconds: 1 } })
  // The scheduler would hold it back: it is named to the node by hand, and the node counts for itself.
  await space.create({ name: 'second', script, ...asks })
  const refused = await space.waitFor(pods, 'second', ({ status }) => status?.phase === 'Failed')
  assert.equal(refused.status?.reason, 'OutOfcpu')
  await space.of(pods).delete('first')
  await space.waitGone(pods, 'first')
})

test('what is reserved is kept from pods', { skip }, async () => {
  const { status } = await shared.client.resource(nodes).get('node-1')
  const { capacity = {}, allocatable = {} } = status ?? {}
  assert.deepEqual([capacity['cpu'], allocatable['cpu']], [String(cpus), String(cpus - 1)])
  const kibibytes = (quantity = ''): number => Number(quantity.replace('Ki', ''))
  assert.equal(kibibytes(capacity['memory']) - kibibytes(allocatable['memory']), 300 * 1024)
  assert.equal(capacity['hugepages-2Mi'], '0')
  const { controllers } = await v1Layout()
  if (controllers['memory'] === undefined) return
  const limitOf = async (controller: string, file: string): Promise<number> =>
    Number(await readFile(join(controllers[controller] ?? '', shared.cluster.layout.cgroupRoot, file), 'utf8'))
  const kept = kibibytes(capacity['memory']) * 1024 - (await limitOf('memory', 'memory.limit_in_bytes'))
  assert.equal(Math.round(kept / 1024 ** 2), 200)
  const pidMaximum = Number(await readFile('/proc/sys/kernel/pid_max', 'utf8'))
  assert.equal(await limitOf('pids', 'pids.max'), pidMaximum - 1000)
})

test('guaranteed pods are not resized while they have processors of their own', { skip }, async (t) => {
  const space = await shared.space(t)
  await space.start({ name: 'fixed', script, ...guaranteed })
  const smaller = { cpu: '500m', memory: '64Mi' }
  const patch = { spec: { containers: [{ name: 'main', resources: { requests: smaller, limits: smaller } }] } }
  await space.of(pods).patch('fixed', { type: 'strategic', patch }, { subresource: 'resize' })
  const { status } = await space.waitFor(pods, 'fixed', (pod) =>
    Boolean(pod.status?.conditions?.some(({ type }) => type === 'PodResizePending')),
  )
  const condition = status?.conditions?.find(({ type }) => type === 'PodResizePending')
  assert.deepEqual(
    [condition?.reason, condition?.message],
    ['Infeasible', 'Resize is infeasible for Guaranteed Pods alongside CPU Manager static policy'],
  )
})
