/**
 * Goal: processors, memory and huge pages are given out by where they are. Method: the managers over what the kernel
 * tells of a machine with two NUMA nodes of two processors each.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { CpuManager } from '#kubelet/cpus/cpu-manager.ts'
import { formatCpuList } from '#kubelet/cpus/cpu-list.ts'
import { machineMemory } from '#kubelet/memory/machine-memory.ts'
import { MemoryManager } from '#kubelet/memory/memory-manager.ts'
import { ManagerMetrics } from '#kubelet/metrics/manager-metrics.ts'
import { linuxFiles } from '#kubelet/topology/linux-files.ts'
import type { MachineTopology } from '#kubelet/topology/machine-topology.ts'
import { readTopology } from '#kubelet/topology/read-topology.ts'
import { TopologyManager } from '#kubelet/topology/topology-manager.ts'
import { skipOutside as skip } from './in-machine.ts'
import { guaranteed } from './pods.ts'

const noFile = { path: '/nowhere', read: async () => undefined, save: () => undefined, saved: async () => undefined }

function managers(topology: MachineTopology): { cpus: CpuManager; memory: MemoryManager; all: TopologyManager } {
  const metrics = new ManagerMetrics()
  const policy = { fullCoresOnly: false, strictReservation: false, distributesAcrossNodes: false, prefersCaches: false }
  const shared = { metrics, file: noFile }
  const cpus = new CpuManager({ ...shared, topology, policy, reserved: new Set([0]), onChange: () => undefined })
  const reserved = [{ node: 0, amounts: resourceAmounts({ memory: '500Mi' }) }]
  const memory = new MemoryManager({ ...shared, machine: machineMemory(topology, reserved) })
  const settings = {
    policy: 'single-numa-node',
    scope: 'container',
    prefersClosestNodes: false,
    maximumNodes: 8,
  } as const
  return { cpus, memory, all: new TopologyManager({ settings, nodes: topology.nodes, managers: [cpus, memory] }) }
}

test('what the kernel tells of processors, memory and huge pages', { skip }, async () => {
  const { cpus, nodes } = await readTopology(linuxFiles, 0)
  assert.deepEqual(
    cpus.map(({ cpu, socket, node }) => [cpu, socket, node]),
    [
      [0, 0, 0],
      [1, 0, 0],
      [2, 1, 1],
      [3, 1, 1],
    ],
  )
  assert.deepEqual(
    nodes.map(({ id, hugePages, distances }) => [id, hugePages.get(2 * 1024 ** 2), [...distances.values()]]),
    [
      [0, 32, [10, 20]],
      [1, 32, [20, 10]],
    ],
  )
  for (const { memoryBytes } of nodes) assert.equal(Math.round(memoryBytes / 1024 ** 3), 2)
})

test('all that a container gets is of one node; what no node has alone is refused', { skip }, async () => {
  const { cpus, memory, all } = managers(await readTopology(linuxFiles, 0))
  await cpus.load()
  await memory.load()
  await all.admit(guaranteed('a', { cpu: '2', memory: '256Mi', 'hugepages-2Mi': '16Mi' }), new Set())
  assert.equal(formatCpuList(cpus.cpusOf('a', 'main')), '2-3')
  assert.deepEqual([...(memory.nodesOf('a', 'main') ?? [])], [1])
  const live = new Set(['a'])
  await assert.rejects(all.admit(guaranteed('b', { cpu: '2', memory: '64Mi' }), live), {
    reason: 'TopologyAffinityError',
    message: 'Resources cannot be allocated with Topology locality',
  })
  await all.admit(guaranteed('c', { cpu: '1', memory: '64Mi' }), live)
  assert.equal(formatCpuList(cpus.cpusOf('c', 'main')), '1')
  assert.deepEqual([...(memory.nodesOf('c', 'main') ?? [])], [0])
  assert.equal(formatCpuList(cpus.cpusOf('other', 'main')), '0')
})
