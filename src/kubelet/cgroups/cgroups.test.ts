import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import type { KubeletConfiguration } from '../configuration/kubelet-configuration.ts'
import { settingsOf } from '../configuration/kubelet-settings.ts'
import { cgroupFiles } from './cgroup-files.ts'
import { cgroupLayout } from '#lib/cgroup-layout.ts'
import { nodeLimits } from './node-limits.ts'
import { containerResources, podCgroupSettings } from './pod-resources.ts'
import { unifiedSettings } from './unified-settings.ts'

function pod(containers: readonly Container[], more: Partial<PodSpec> = {}): Pod {
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...more } }
}

const gibibyte = 1024 ** 3
const quota = { isEnforced: true, periodMicroseconds: 100_000, sparesExclusive: false }
const burstable: Container = {
  name: 'b',
  resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '500m' } },
}
const guaranteed: Container = {
  name: 'g',
  resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
}

test('a container’s own settings', () => {
  const settings = (container: Container) => {
    const { cpuShares, cpuQuota, memoryLimitBytes, oomScoreAdj } = containerResources(pod([container]), container, {
      memoryCapacityBytes: gibibyte,
      quota,
      hugePageSizes: [],
    })
    return [cpuShares, cpuQuota, memoryLimitBytes, oomScoreAdj]
  }
  assert.deepEqual(settings({ name: 'e' }), [2, 0, 0, 1000])
  assert.deepEqual(settings(burstable), [256, 50_000, 0, 750])
  assert.deepEqual(settings(guaranteed), [1024, 100_000, gibibyte, -997])
})

test('a container without a limit of its own has that of the pod', () => {
  const whole = pod([{ name: 'e' }], { resources: { limits: { cpu: '200m', memory: '1Gi' } } })
  const context = { memoryCapacityBytes: gibibyte, quota, hugePageSizes: [] }
  const limitsOf = (container: Container) => {
    const { cpuQuota, memoryLimitBytes } = containerResources(whole, container, context)
    return [cpuQuota, memoryLimitBytes]
  }
  assert.deepEqual(
    [limitsOf({ name: 'e' }), limitsOf(burstable)],
    [
      [20_000, gibibyte],
      [50_000, gibibyte],
    ],
  )
})

test('a pod is limited only where all its containers are', () => {
  assert.deepEqual(podCgroupSettings(pod([burstable, guaranteed]), quota, []), {
    cpuShares: 1280,
    cpuQuota: 150_000,
    cpuPeriod: 100_000,
    memoryLimitBytes: 0,
    hugepageLimits: [],
  })
  assert.deepEqual(podCgroupSettings(pod([guaranteed]), quota, []), {
    cpuShares: 1024,
    cpuQuota: 100_000,
    cpuPeriod: 100_000,
    memoryLimitBytes: gibibyte,
    hugepageLimits: [],
  })
})

test('huge pages are limited to what was asked for', () => {
  const sizes = [2 * 1024 ** 2, gibibyte]
  const container: Container = { name: 'h', resources: { limits: { 'hugepages-2Mi': '4Mi', memory: '1Gi', cpu: '1' } } }
  const limits = [
    { pageSize: '2MB', limitBytes: 4 * 1024 ** 2 },
    { pageSize: '1GB', limitBytes: 0 },
  ]
  const context = { memoryCapacityBytes: gibibyte, quota, hugePageSizes: sizes }
  assert.deepEqual(containerResources(pod([container]), container, context).hugepageLimits, limits)
  const settings = podCgroupSettings(pod([container]), quota, sizes)
  assert.deepEqual(cgroupFiles(1, 'hugetlb', settings), [
    ['hugetlb.2MB.limit_in_bytes', '4194304'],
    ['hugetlb.1GB.limit_in_bytes', '0'],
  ])
  assert.deepEqual(cgroupFiles(2, 'hugetlb', settings)[0], ['hugetlb.2MB.max', '4194304'])
})

test('whoever has processors of his own has no quota on them', () => {
  const spared = { ...quota, sparesExclusive: true }
  const context = { memoryCapacityBytes: gibibyte, quota: spared, hugePageSizes: [] }
  assert.equal(containerResources(pod([guaranteed]), guaranteed, context).cpuQuota, 0)
  assert.equal(podCgroupSettings(pod([guaranteed]), spared, []).cpuQuota, 0)
  assert.equal(containerResources(pod([burstable]), burstable, context).cpuQuota, 50_000)
})

test('the files of both versions', () => {
  const settings = { cpuShares: 1024, cpuQuota: 50_000, memoryLimitBytes: 4096 }
  assert.deepEqual(cgroupFiles(1, 'cpu', settings), [
    ['cpu.shares', '1024'],
    ['cpu.cfs_period_us', '100000'],
    ['cpu.cfs_quota_us', '50000'],
  ])
  assert.deepEqual(cgroupFiles(1, 'memory', settings), [['memory.limit_in_bytes', '4096']])
  assert.deepEqual(cgroupFiles(2, 'cpu', settings), [
    ['cpu.weight', '100'],
    ['cpu.max', '50000 100000'],
  ])
  assert.deepEqual(cgroupFiles(2, 'memory', settings), [['memory.max', '4096']])
  assert.deepEqual(cgroupFiles(2, 'memory', {}), [])
  assert.deepEqual(cgroupFiles(2, 'pids', { pidsLimit: 9 }), [['pids.max', '9']])
  assert.deepEqual(cgroupFiles(1, 'cpu', { cpuQuota: 5000, cpuPeriod: 10_000 }), [
    ['cpu.cfs_period_us', '10000'],
    ['cpu.cfs_quota_us', '5000'],
  ])
})

const machine = { cpus: 4, memoryBytes: 8 * gibibyte, pidMaximum: 1000 }
const nodeCases: readonly [KubeletConfiguration, object][] = [
  [{}, { cpuShares: 4096, memoryLimitBytes: 8 * gibibyte }],
  [
    { kubeReserved: { cpu: '500m', memory: '1Gi' }, systemReserved: { cpu: '500m', memory: '1Gi', pid: '100' } },
    { cpuShares: 3072, memoryLimitBytes: 6 * gibibyte, pidsLimit: 900 },
  ],
  [{ enforceNodeAllocatable: ['none'], kubeReserved: { memory: '1Gi' } }, {}],
]
for (const [configuration, limits] of nodeCases) {
  test(`all pods together: ${JSON.stringify(configuration)}`, () => {
    assert.deepEqual(nodeLimits(settingsOf(configuration), machine), limits)
  })
}

test('the layout of the machine', () => {
  const hybrid = `cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`
  const layout = cgroupLayout(hybrid)
  assert.equal(layout.version, 1)
  if (layout.version !== 1) return
  assert.deepEqual(
    [layout.controllers['cpu'], layout.controllers['memory']],
    ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/memory'],
  )
  assert.deepEqual(
    layout.mountPoints.map((path) => path.split('/').at(-1)),
    ['cpu', 'memory', 'systemd', 'unified'],
  )
  assert.deepEqual(cgroupLayout('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n'), { version: 2, root: '/sys/fs/cgroup' })
})

const swapCases: readonly [
  what: string,
  container: Container,
  swap: { isShared: boolean; capacityBytes: number },
  string,
][] = [
  [
    'a part as large as the request is of the memory',
    burstable,
    { isShared: true, capacityBytes: gibibyte },
    '268435456',
  ],
  ['nothing where nobody swaps', burstable, { isShared: false, capacityBytes: gibibyte }, '0'],
  ['nothing for a guaranteed pod', guaranteed, { isShared: true, capacityBytes: gibibyte }, '0'],
  ['nothing for one that asks for no memory', { name: 'e' }, { isShared: true, capacityBytes: gibibyte }, '0'],
  [
    'nothing for one that may take no more than it asks for',
    { name: 'f', resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { memory: '1Mi' } } },
    { isShared: true, capacityBytes: gibibyte },
    '0',
  ],
]
for (const [what, container, swap, bytes] of swapCases) {
  test(`swap: ${what}`, () => {
    const unified = { endsWholeContainer: true, swap }
    const context = { memoryCapacityBytes: gibibyte, quota, hugePageSizes: [], unified }
    assert.deepEqual(containerResources(pod([container]), container, context).unified, {
      'memory.oom.group': '1',
      'memory.swap.max': bytes,
    })
  })
}

test('a critical pod does not swap; without a count of swap there is no limit on it', () => {
  const swap = { isShared: true, capacityBytes: gibibyte }
  const critical = pod([burstable], { priority: 2_000_000_000 })
  assert.deepEqual(unifiedSettings(critical, burstable, { endsWholeContainer: false, swap }, gibibyte), {
    'memory.swap.max': '0',
  })
  assert.deepEqual(unifiedSettings(critical, burstable, { endsWholeContainer: false }, gibibyte), {})
})

const weights: readonly [shares: number, weight: string][] = [
  [2, '1'],
  [102, '17'],
  [1024, '100'],
  [2000, '170'],
  [262_144, '10000'],
]
for (const [shares, weight] of weights) {
  test(`${shares} shares weigh ${weight}`, () => {
    assert.deepEqual(cgroupFiles(2, 'cpu', { cpuShares: shares }), [['cpu.weight', weight]])
  })
}
