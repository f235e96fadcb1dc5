import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { ManagerMetrics } from '../metrics/manager-metrics.ts'
import type { NodeSet } from '../topology/hint.ts'
import type { MachineTopology } from '../topology/machine-topology.ts'
import { containersInOrder } from '../topology/resource-manager.ts'
import { machineMemory } from './machine-memory.ts'
import { MemoryManager } from './memory-manager.ts'

const gibibyte = 1024 ** 3
const mebibyte = 1024 ** 2

/** Two nodes of 8 GiB each, the first with 512 huge pages of 2 MiB. */
const topology: MachineTopology = {
  cpus: [],
  nodes: [0, 1].map((id) => {
    const hugePages = new Map(id === 0 ? [[2 * mebibyte, 512]] : [])
    return { id, memoryBytes: 8 * gibibyte, hugePages, distances: new Map() }
  }),
}
const reserved = [{ node: 0, amounts: { memory: gibibyte } }]

function asking(
  uid: string,
  memory: string,
  more: Readonly<Record<string, string>> = {},
  init: readonly string[] = [],
): Pod {
  const container = (name: string, size: string): Container => {
    const amounts = { cpu: '1', memory: size, ...more }
    return { name, resources: { requests: amounts, limits: amounts } }
  }
  const metadata = { name: uid, namespace: 'ns', uid, resourceVersion: '1', creationTimestamp: '' }
  const initContainers = init.map((size, index) => container(`init-${index}`, size))
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container('main', memory)], initContainers } }
}

async function manager(text?: string) {
  const file = {
    path: '/state',
    text,
    read: async () => file.text,
    save(next: string) {
      file.text = next
    },
    saved: async () => undefined,
  }
  const made = new MemoryManager({ machine: machineMemory(topology, reserved), metrics: new ManagerMetrics(), file })
  await made.load()
  return { made, file }
}

async function admit(made: MemoryManager, pod: Pod, nodes?: NodeSet): Promise<string> {
  for (const asked of containersInOrder(pod)) await made.allocate(asked, nodes)
  return [...(made.nodesOf(pod.metadata.uid, 'main') ?? [])].join()
}

test('memory for pods: what is set aside and reserved is left out', () => {
  const bytes = (node: number, type: string) => machineMemory(topology, reserved).get(node)?.get(type)?.allocatableBytes
  assert.deepEqual(
    [bytes(0, 'memory'), bytes(0, 'hugepages-2Mi'), bytes(1, 'memory')],
    [6 * gibibyte, gibibyte, 8 * gibibyte],
  )
  assert.throws(
    () => machineMemory(topology, [{ node: 2, amounts: {} }]),
    /references a NUMA node 2 that does not exist/,
  )
})

test('memory comes from one node while one has enough, and a node is never used in two ways', async () => {
  const { made } = await manager()
  assert.equal(await admit(made, asking('a', '5Gi')), '0')
  assert.equal(await admit(made, asking('b', '5Gi')), '1')
  const hints = made.containerHints({
    pod: asking('c', '4Gi'),
    container: asking('c', '4Gi').spec.containers[0] as Container,
    kind: 'lasting',
  })
  assert.deepEqual(hints, { memory: [] })
  await assert.rejects(admit(made, asking('c', '4Gi')), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to [memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available, which is unexpected',
  })
  made.release('a')
  made.release('b')
  assert.equal(await admit(made, asking('d', '10Gi')), '0,1')
  assert.equal(await admit(made, asking('e', '1Gi')), '0,1')
  await assert.rejects(admit(made, asking('f', '4Gi')), /no NUMA nodes with enough memory/)
})

test('huge pages decide where memory comes from, and a place that is too small is widened', async () => {
  const { made } = await manager()
  assert.equal(await admit(made, asking('a', '1Gi', { 'hugepages-2Mi': '512Mi' })), '0')
  made.release('a')
  assert.equal(await admit(made, asking('b', '9Gi'), new Set([1])), '0,1')
  made.release('b')
  await assert.rejects(
    admit(made, asking('c', '20Gi'), new Set([1])),
    /failed to find NUMA nodes to extend the current topology hint/,
  )
})

test('init containers leave their memory to those after them; what was given survives', async () => {
  const { made, file } = await manager()
  assert.equal(await admit(made, asking('a', '4Gi', {}, ['5Gi'])), '0')
  assert.equal(await admit(made, asking('b', '1Gi'), new Set([0])), '0')
  const again = await manager(file.text)
  assert.deepEqual([...(again.made.nodesOf('a', 'main') ?? [])], [0])
  await assert.rejects(admit(again.made, asking('c', '8Gi', {}, ['9Gi'])), /no NUMA nodes/)
  again.made.begin(new Set())
  assert.equal(again.made.nodesOf('a', 'main'), undefined)
  const text = file.text?.replace('"systemReserved":1073741824', '"systemReserved":0')
  await assert.rejects(
    manager(text),
    /the expected machine state is different from the real one.*delete the memory manager checkpoint file "\/state"/,
  )
})

test('the file shows what each node has left', async () => {
  const { made, file } = await manager()
  await admit(made, asking('a', '2Gi'))
  const { machineState, entries, policyName } = JSON.parse(file.text ?? '') as Record<string, unknown>
  assert.equal(policyName, 'Static')
  assert.deepEqual(entries, { a: { main: [{ numaAffinity: [0], type: 'memory', size: 2 * gibibyte }] } })
  const [total, systemReserved, allocatable] = [8, 1, 6].map((count) => count * gibibyte)
  const memory = { total, systemReserved, allocatable, reserved: 2 * gibibyte, free: 4 * gibibyte }
  type NodeState = { numberOfAssignments: number; cells: number[]; memoryMap: Record<string, object> }
  const nodes = machineState as Record<string, NodeState>
  assert.deepEqual([nodes['0']?.numberOfAssignments, nodes['0']?.cells], [1, [0]])
  assert.deepEqual(nodes['0']?.memoryMap['memory'], memory)
})
