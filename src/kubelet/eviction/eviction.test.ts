import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { simulatedNode } from '../simulated/simulated-node.ts'
import { EvictionManager, type EvictablePod } from './eviction-manager.ts'
import { evictionMessage } from './messages.ts'
import { PressureConditions, pressureRefusal } from './pressure.ts'
import { rankForEviction, type Candidate } from './rank.ts'
import type { EvictionSignal, MachineReadings, PressureCondition } from './signals.ts'
import { storageViolation } from './storage-limits.ts'
import { crossedThresholds, defaultThresholds } from './thresholds.ts'
import { defaultSettings } from '../configuration/kubelet-settings.ts'

const mebibyte = 1024 ** 2

function pod(name: string, spec: Partial<PodSpec> = {}): Pod {
  const metadata = { name, namespace: 'ns', uid: name, resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c' }], ...spec } }
}

function asking(resources: Container['resources'], more: Partial<PodSpec> = {}): Partial<PodSpec> {
  return { containers: [{ name: 'c', resources }], ...more }
}

interface RankRow {
  readonly name: string
  readonly priority?: number
  readonly request?: number
  readonly used: number
}

const rankTable: readonly (readonly [string, EvictionSignal, readonly RankRow[], string])[] = [
  [
    'those above their request go first, whatever their priority',
    'memory.available',
    [
      { name: 'within', priority: 0, request: 100, used: 90 },
      { name: 'above', priority: 1000, request: 10, used: 20 },
    ],
    'above within',
  ],
  [
    'then the lower priority',
    'memory.available',
    [
      { name: 'high', priority: 10, used: 90 },
      { name: 'low', priority: 1, used: 5 },
    ],
    'low high',
  ],
  [
    'then the larger use beyond the request',
    'memory.available',
    [
      { name: 'small', request: 90, used: 100 },
      { name: 'large', request: 10, used: 50 },
      { name: 'none', used: 30 },
    ],
    'large none small',
  ],
  [
    'disk is judged by its own request',
    'nodefs.available',
    [
      { name: 'a', request: 5, used: 4 },
      { name: 'b', used: 1 },
    ],
    'b a',
  ],
  [
    'process ids by priority and count',
    'pid.available',
    [
      { name: 'many', used: 90 },
      { name: 'few', used: 1 },
      { name: 'important', priority: 5, used: 900 },
    ],
    'many few important',
  ],
]

function candidate(row: RankRow): Candidate<{ readonly pod: Pod }> {
  const { name, priority = 0, request, used } = row
  const amount = request === undefined ? undefined : `${request}Mi`
  const requests = amount === undefined ? {} : { memory: amount, 'ephemeral-storage': amount }
  const bytes = used * mebibyte
  return {
    subject: { pod: pod(name, asking({ requests }, { priority })) },
    usage: { memoryBytes: bytes, diskBytes: bytes, inodes: used, processes: used },
  }
}

for (const [rule, signal, rows, order] of rankTable) {
  test(`ranking: ${rule}`, () => {
    const ranked = rankForEviction(signal, rows.map(candidate))
    assert.equal(ranked.map((subject) => subject.pod.metadata.name).join(' '), order)
  })
}

test('thresholds are quantities or shares of the capacity', () => {
  const readings: MachineReadings = {
    'memory.available': { available: 99 * mebibyte, capacity: 1000 * mebibyte },
    'nodefs.available': { available: 101, capacity: 1000 },
    'imagefs.available': { available: 149, capacity: 1000 },
    'nodefs.inodesFree': { available: 0, capacity: 0 },
  }
  assert.deepEqual(
    crossedThresholds(defaultThresholds, readings).map(({ signal }) => signal),
    ['memory.available', 'imagefs.available'],
  )
})

test('a threshold that was crossed stays so until enough is there', () => {
  const threshold = { signal: 'memory.available', value: '100', minimumReclaim: '10%' } as const
  const isCrossed = (available: number, known: boolean): boolean => {
    const readings = { 'memory.available': { available, capacity: 500 } } as Partial<MachineReadings> as MachineReadings
    return crossedThresholds([threshold], readings, new Set(known ? [threshold] : [])).length > 0
  }
  assert.deepEqual(
    [isCrossed(99, false), isCrossed(120, false), isCrossed(120, true), isCrossed(150, true)],
    [true, false, true, false],
  )
})

test('a pressure is reported a while longer than it lasts', () => {
  const pressure = new PressureConditions(300_000)
  const memory = [{ signal: 'memory.available', value: '1' }] as const
  assert.deepEqual([...pressure.observe(memory, 0)], ['MemoryPressure'])
  assert.deepEqual([...pressure.observe([], 299_999)], ['MemoryPressure'])
  assert.deepEqual([...pressure.observe([], 300_000)], [])
})

test('which pods a node under pressure takes', () => {
  const burstable = pod('b', asking({ requests: { cpu: '1' } }))
  const tolerant = pod('t', { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] })
  const critical = pod('c', { priority: 2_000_000_000 })
  const refused = (subject: Pod, ...conditions: PressureCondition[]): string | undefined =>
    pressureRefusal(subject, new Set(conditions))?.message
  assert.equal(refused(pod('p')), undefined)
  assert.equal(refused(pod('p'), 'MemoryPressure'), 'The node had condition: [MemoryPressure]. ')
  assert.equal(refused(burstable, 'MemoryPressure'), undefined)
  assert.equal(refused(tolerant, 'MemoryPressure'), undefined)
  assert.equal(refused(burstable, 'DiskPressure'), 'The node had condition: [DiskPressure]. ')
  assert.equal(refused(critical, 'DiskPressure'), undefined)
})

test('the message names what ran out and who took too much', () => {
  const containers = [
    { container: { name: 'greedy' }, memoryBytes: 64 * mebibyte, diskBytes: 0 },
    { container: { name: 'modest', resources: { requests: { memory: '1Gi' } } }, memoryBytes: 9, diskBytes: 0 },
  ]
  const threshold = { signal: 'memory.available', value: '100Mi' } as const
  assert.equal(
    evictionMessage(threshold, { available: 52 * mebibyte, capacity: 1 }, containers),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. Container greedy was using 64Mi, request is 0, has larger consumption of memory. ',
  )
})

test('limits that pods set themselves', () => {
  const use = (volume: number, container: number) => ({
    volumes: new Map([['e', volume * mebibyte]]),
    containers: new Map([['c', container * mebibyte]]),
  })
  const folder = pod('p', { volumes: [{ name: 'e', emptyDir: { sizeLimit: '5Mi' } }] })
  assert.equal(storageViolation(folder, use(5, 90)), undefined)
  assert.equal(storageViolation(folder, use(6, 0)), 'Usage of EmptyDir volume "e" exceeds the limit "5Mi". ')
  const limited = pod('p', asking({ limits: { 'ephemeral-storage': '10Mi' } }))
  const withFolder = { ...limited, spec: { ...limited.spec, volumes: [{ name: 'e', emptyDir: {} }] } }
  assert.equal(storageViolation(limited, use(0, 10)), undefined)
  assert.equal(
    storageViolation(withFolder, use(6, 6)),
    'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
  )
  const other = { name: 'free', resources: {} }
  const half = pod('p', { containers: [...limited.spec.containers, other] })
  assert.equal(storageViolation(half, use(0, 11)), 'Container c exceeded its local ephemeral storage limit "10Mi". ')
})

test('the manager reports pressure, spares the critical and ends one pod a look', async () => {
  const clock = manualClock()
  const evicted: string[] = []
  const subject = (name: string, spec: Partial<PodSpec> = {}): EvictablePod => ({
    pod: pod(name, spec),
    evict: async (message) => void evicted.push(`${name}: ${message}`),
  })
  const readings: MachineReadings = { 'memory.available': { available: 1, capacity: mebibyte } }
  let changes = 0
  const manager = new EvictionManager({
    settings: defaultSettings.eviction,
    clock,
    log: silentLog,
    runtime: { containerStats: async () => [], sandboxStats: async () => [] } as unknown as ContainerRuntime,
    machine: { ...simulatedNode().machine, readings: async () => readings },
    host: { diskUse: async () => ({ volumes: new Map(), logs: new Map() }) },
    pods: () => [subject('critical', { priority: 2_000_000_000 }), subject('high', { priority: 5 }), subject('low')],
    reclaimDisk: () => Promise.reject(new Error('not asked')),
    onChange: () => changes++,
  })
  await manager.look()
  await manager.look()
  assert.deepEqual([...manager.conditions], ['MemoryPressure'])
  assert.deepEqual([changes, evicted.map((line) => line.split(':')[0])], [1, ['low', 'low']])
})
