import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { ManagerMetrics } from '../metrics/manager-metrics.ts'
import type { NodeSet } from '../topology/hint.ts'
import type { MachineTopology } from '../topology/machine-topology.ts'
import { containersInOrder } from '../topology/resource-manager.ts'
import { formatCpuList, parseCpuList } from './cpu-list.ts'
import { CpuManager, type CpuPolicyOptions } from './cpu-manager.ts'
import { parseCpuState } from './cpu-state.ts'
import { exclusiveCpus, podExclusiveCpus } from './exclusive-cpus.ts'
import { distributeCpus, takeCpus } from './take-cpus.ts'

/** Two sockets, each a NUMA node with four cores of two threads: CPU 0 and 8 share core 0, and so on. */
const twoSockets: MachineTopology = {
  cpus: Array.from({ length: 16 }, (_, cpu) => {
    const core = cpu % 8
    return { cpu, core, socket: core < 4 ? 0 : 1, node: core < 4 ? 0 : 1 }
  }),
  nodes: [0, 1].map((id) => ({ id, memoryBytes: 1, hugePages: new Map(), distances: new Map() })),
}
const twoCores: MachineTopology = {
  cpus: [0, 1].map((cpu) => ({ cpu, core: cpu, socket: 0, node: 0 })),
  nodes: [{ id: 0, memoryBytes: 1, hugePages: new Map(), distances: new Map() }],
}

test('lists of processors', () => {
  assert.equal(formatCpuList(parseCpuList('5,0-2, 3\n')), '0-3,5')
  assert.equal(formatCpuList(parseCpuList('')), '')
  for (const wrong of ['a', '3-1', '1-2-3']) assert.throws(() => parseCpuList(wrong), /is no list of processors/)
})

const choices: readonly [free: string, count: number, taken: string][] = [
  ['0-15', 8, '0-3,8-11'],
  ['1-15', 8, '4-7,12-15'],
  ['0-15', 2, '0,8'],
  ['0-15', 3, '0-1,8'],
  ['0,2-7,9-15', 2, '2,10'],
  ['1-15', 1, '8'],
  ['0-15', 10, '0-4,8-12'],
  ['4,6', 3, '4,6'],
]
for (const [free, count, taken] of choices) {
  test(`${count} of ${free} are ${taken}`, () => {
    assert.equal(formatCpuList(takeCpus(twoSockets, parseCpuList(free), count)), taken)
  })
}

test('processors with one cache go together where that is preferred', () => {
  // One socket with eight cores of one thread; each two of them share a cache.
  const cpus = Array.from({ length: 8 }, (_, cpu) => ({ cpu, core: cpu, socket: 0, node: 0, cache: cpu - (cpu % 2) }))
  const small: MachineTopology = { ...twoCores, cpus }
  const take = (free: string, count: number, prefersCaches: boolean): string =>
    formatCpuList(takeCpus(small, parseCpuList(free), count, { prefersCaches }))
  assert.equal(take('1-7', 2, false), '1-2')
  assert.equal(take('1-7', 2, true), '2-3')
  assert.equal(take('1-7', 1, true), '1')
  assert.equal(take('1,3-7', 3, true), '1,4-5')
  assert.equal(take('1,3,5,7', 2, true), '1,3')
  assert.equal(formatCpuList(takeCpus(twoSockets, parseCpuList('1-15'), 4, { prefersCaches: true })), '1-2,9-10')
})

test('spread over NUMA nodes where one has not enough', () => {
  const spread = (free: string, count: number, groupSize: number): string =>
    formatCpuList(distributeCpus(twoSockets, parseCpuList(free), { count, groupSize }))
  assert.equal(spread('0-15', 8, 1), '0-3,8-11')
  assert.equal(spread('0-15', 12, 2), '0-2,4-6,8-10,12-14')
  assert.equal(spread('0-1,4-9,12-15', 10, 2), '0-1,4-6,8-9,12-14')
})

const guaranteed = (cpu: string, more: Partial<Container> = {}): Container => {
  const amounts = { cpu, memory: '1Gi' }
  return { name: 'main', resources: { requests: amounts, limits: amounts }, ...more }
}

function pod(uid: string, containers: readonly Container[], initContainers: readonly Container[] = []): Pod {
  const metadata = { name: uid, namespace: 'ns', uid, resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, initContainers } }
}

test('who gets processors alone', () => {
  const burstable: Container = { name: 'main', resources: { requests: { cpu: '1' } } }
  const cases: readonly [Container, number][] = [
    [guaranteed('2'), 2],
    [guaranteed('2000m'), 2],
    [guaranteed('1500m'), 0],
    [burstable, 0],
  ]
  for (const [container, count] of cases) assert.equal(exclusiveCpus(pod('p', [container]), container), count)
  const sidecar = guaranteed('1', { name: 's', restartPolicy: 'Always' })
  assert.equal(podExclusiveCpus(pod('p', [guaranteed('1')], [guaranteed('3', { name: 'i' })])), 3)
  assert.equal(podExclusiveCpus(pod('p', [guaranteed('1')], [sidecar, guaranteed('3', { name: 'i' })])), 4)
  assert.equal(podExclusiveCpus(pod('p', [guaranteed('2')], [sidecar])), 3)
})

const plain: CpuPolicyOptions = {
  fullCoresOnly: false,
  strictReservation: false,
  distributesAcrossNodes: false,
  prefersCaches: false,
}

interface ManagerInput {
  readonly topology?: MachineTopology
  readonly policy?: Partial<CpuPolicyOptions>
  readonly reserved?: string
  readonly text?: string
}

async function manager({ topology = twoSockets, policy = {}, reserved = '0', text }: ManagerInput = {}) {
  const file = {
    path: '/state',
    text,
    read: async () => file.text,
    save(next: string) {
      file.text = next
    },
    saved: async () => undefined,
  }
  const made = new CpuManager({
    metrics: new ManagerMetrics(),
    ...{ topology, file, reserved: parseCpuList(reserved), policy: { ...plain, ...policy }, onChange: () => undefined },
  })
  await made.load()
  return { made, file }
}

async function admit(made: CpuManager, asking: Pod, nodes?: NodeSet): Promise<readonly string[]> {
  for (const asked of containersInOrder(asking)) await made.allocate(asked, nodes)
  return containersInOrder(asking).map(({ container }) =>
    formatCpuList(made.cpusOf(asking.metadata.uid, container.name)),
  )
}

test('a guaranteed container has a processor alone, the rest is for everybody, and all of it comes back', async () => {
  const { made, file } = await manager({ topology: twoCores })
  assert.deepEqual(await admit(made, pod('g', [guaranteed('1')])), ['1'])
  assert.equal(formatCpuList(made.cpusOf('b', 'main')), '0')
  assert.deepEqual(made.counts, { exclusive: 1, shared: 1 })
  assert.equal(file.text, '{"policyName":"static","defaultCpuSet":"0","entries":{"g":{"main":"1"}}}\n')
  await assert.rejects(admit(made, pod('h', [guaranteed('1')])), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to not enough cpus available to satisfy request: requested=1, available=0, which is unexpected',
  })
  const again = await manager({ topology: twoCores, ...(file.text && { text: file.text }) })
  assert.equal(formatCpuList(again.made.cpusOf('g', 'main')), '1')
  again.made.begin(new Set(['g']))
  assert.equal(formatCpuList(again.made.cpusOf('g', 'main')), '1')
  again.made.begin(new Set())
  assert.equal(formatCpuList(again.made.cpusOf('b', 'main')), '0-1')
})

test('init containers leave their processors to those after them', async () => {
  const { made } = await manager()
  const first = guaranteed('4', { name: 'first' })
  const sidecar = guaranteed('2', { name: 'sidecar', restartPolicy: 'Always' })
  const given = await admit(made, pod('p', [guaranteed('2')], [first, sidecar]))
  assert.deepEqual(given, ['1-2,9-10', '1,9', '2,10'])
  assert.equal(formatCpuList(made.cpusOf('x', 'y')), '0,3-8,11-15')
})

test('whole cores only, where that is asked for', async () => {
  const { made } = await manager({ policy: { fullCoresOnly: true } })
  const odd = admit(made, pod('p', [guaranteed('3')]))
  await assert.rejects(odd, {
    reason: 'SMTAlignmentError',
    message: 'SMT Alignment Error: requested 3 cpus not multiple cpus per core = 2',
  })
  const many = admit(made, pod('q', [guaranteed('16')]))
  await assert.rejects(many, {
    reason: 'SMTAlignmentError',
    message:
      'SMT Alignment Error: not enough free physical CPUs: available physical CPUs = 14, requested CPUs = 16, CPUs per core = 2',
  })
})

test('strictly reserved processors are nobody’s', async () => {
  const { made } = await manager({ policy: { strictReservation: true }, reserved: '0,8' })
  assert.equal(formatCpuList(made.cpusOf('x', 'y')), '1-7,9-15')
})

test('hints name where the processors are, and the place decides', async () => {
  const { made } = await manager({ reserved: '0,8' })
  const asking = (uid: string, cpu: string) => ({
    ...{ pod: pod(uid, [guaranteed(cpu)]), container: guaranteed(cpu), kind: 'lasting' as const },
  })
  const hints = (cpu: string): unknown =>
    made
      .containerHints(asking('p', cpu))
      ['cpu']?.map(({ nodes, isPreferred }) => [[...(nodes ?? [])].join(), isPreferred])
  assert.deepEqual(hints('8'), [
    ['1', true],
    ['0,1', false],
  ])
  assert.deepEqual(hints('10'), [['0,1', true]])
  assert.deepEqual(made.containerHints(asking('p', '500m')), {})
  assert.deepEqual(await admit(made, pod('p', [guaranteed('2')]), new Set([1])), ['4,12'])
  assert.deepEqual(hints('2'), [
    ['1', true],
    ['0,1', false],
  ])
})

const wrongStates: readonly [text: string, message: RegExp][] = [
  ['{"defaultCpuSet":"1"}', /not all reserved cpus: "0" are present in defaultCpuSet: "1"/],
  ['{"defaultCpuSet":"0-1","entries":{"p":{"c":"1"}}}', /assigned cpus "1" overlap with "0-1"/],
  ['{"defaultCpuSet":"0"}', /current set of available CPUs "0-1" doesn't match with CPUs in state "0"/],
  ['nonsense', /JSON/],
]
for (const [text, message] of wrongStates) {
  test(`state refused: ${message.source}`, () => {
    const rules = { all: parseCpuList('0-1'), reserved: parseCpuList('0'), isStrict: false }
    assert.throws(() => parseCpuState(text, rules), message)
  })
}
