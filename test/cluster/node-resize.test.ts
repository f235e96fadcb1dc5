/**
 * Goal: what conformance promises of resizing pods in place. Method: one cluster; after each resize the status must tell
 * the new resources, the kernel must hold them, and no container may have been restarted that did not ask for it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Container, ContainerStatus, Pod } from '#api/types/core.v1.ts'
import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { pods } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const area = 'common/node/pod_resize'
const idle = 'trap exit TERM; sleep 1000 & wait'

interface Amounts {
  readonly cpu?: string
  readonly memory?: string
}
/** Of one container: what it asks for and what it may take. */
interface Size {
  readonly requests?: Amounts
  readonly limits?: Amounts
  /** Wants to be restarted for it. */
  readonly restart?: 'cpu' | 'memory'
}
const guaranteed = (cpu: string, memory: string): Size => ({ requests: { cpu, memory }, limits: { cpu, memory } })
const burstable = (cpu: string, memory: string): Size => ({ requests: { cpu, memory } })

function containerOf(size: Size, index: number): Container {
  const { requests, limits, restart } = size
  const resources = { ...(requests && { requests: { ...requests } }), ...(limits && { limits: { ...limits } }) }
  const resizePolicy = restart ? [{ resourceName: restart, restartPolicy: 'RestartContainer' }] : []
  return { name: `c${index + 1}`, image: busybox, command: ['sh', '-c', idle], resources, resizePolicy }
}

function start(space: TestSpace, sizes: readonly Size[]): Promise<Pod> {
  return space.start({ spec: { containers: sizes.map(containerOf), restartPolicy: 'Always' } })
}

async function resize(space: TestSpace, before: readonly Size[], after: readonly Size[]): Promise<void> {
  const containers = after.map(({ requests, limits }, index) => ({
    name: `c${index + 1}`,
    resources: { requests, limits },
  }))
  await space.of(pods).patch('pod', { type: 'strategic', patch: { spec: { containers } } }, { subresource: 'resize' })
  await verify(space, before, after)
}

/** Waits until the status tells the sizes, and compares what the kernel holds. */
async function verify(space: TestSpace, before: readonly Size[], after: readonly Size[]): Promise<void> {
  const wanted = after.map((size, index) => ({
    ...before[index],
    requests: { ...before[index]?.requests, ...size.requests },
    limits: { ...before[index]?.limits, ...size.limits },
  }))
  const isDone = (pod: Pod): boolean =>
    isReady(pod) &&
    pod.status?.observedGeneration === pod.metadata.generation &&
    !pod.status?.conditions?.some(({ type }) => type.startsWith('PodResize')) &&
    wanted.every((size, index) => hasSize(statusOf(pod, index), size))
  const pod = await space.waitFor(pods, 'pod', isDone)
  for (const [index, size] of wanted.entries()) {
    assert.equal(statusOf(pod, index)?.restartCount, isRestarted(before[index], after[index]) ? 1 : 0, `c${index + 1}`)
    assert.deepEqual(await kernelSettings(space, `c${index + 1}`), expectedSettings(size), `c${index + 1}`)
  }
}

const statusOf = (pod: Pod, index: number): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === `c${index + 1}`)

function hasSize(status: ContainerStatus | undefined, { requests, limits }: Size): boolean {
  const same = (a: object | undefined, b: object | undefined): boolean =>
    isDeepStrictEqual(resourceAmounts(a as Record<string, string>), resourceAmounts(b as Record<string, string>))
  const given = status?.resources
  return same(given?.requests, requests) && same(given?.limits, limits) && same(status?.allocatedResources, requests)
}

function isRestarted(before: Size | undefined, after: Size | undefined): boolean {
  const name = before?.restart
  if (name === undefined) return false
  return before?.requests?.[name] !== after?.requests?.[name] || before?.limits?.[name] !== after?.limits?.[name]
}

/** Shares, quota and memory limit of a container's control group, as either version of the kernel's interface has them. */
async function kernelSettings(space: TestSpace, container: string): Promise<readonly string[]> {
  const v1 = 'cd /sys/fs/cgroup; cat cpu/cpu.shares cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes'
  return (await space.exec('pod', container, 'sh', '-c', v1)).trim().split('\n')
}

function expectedSettings({ requests = {}, limits = {} }: Size): readonly string[] {
  const { cpu: limitCpu, memory } = resourceAmounts({ ...limits })
  const cpu = requests.cpu === undefined ? limitCpu : resourceAmounts({ cpu: requests.cpu })['cpu']
  const shares = Math.max(2, Math.floor(((cpu ?? 0) * 1024) / 1000))
  const quota = limitCpu === undefined ? -1 : Math.max(1000, limitCpu * 100)
  return [shares, quota, memory ?? '9223372036854771712'].map(String)
}

test('a pod that asks as a whole is resized as a whole, without restarting anything', { skip }, async (t) => {
  const space = await shared.space(t)
  const whole = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })
  const main = { name: 'c1', image: busybox, command: ['sh', '-c', idle] }
  await space.start({ spec: { containers: [main], resources: whole('100m', '50Mi'), restartPolicy: 'Always' } })
  const settings = async (): Promise<readonly string[]> => (await kernelSettings(space, 'c1')).slice(1)
  assert.deepEqual(await settings(), ['10000', String(50 * 1024 ** 2)])
  for (const [cpu, memory] of [
    ['200m', '80Mi'],
    ['50m', '40Mi'],
  ] as const) {
    const patch = { spec: { resources: whole(cpu, memory) } }
    await space.of(pods).patch('pod', { type: 'merge', patch }, { subresource: 'resize' })
    const isDone = ({ status }: Pod): boolean => status?.resources?.limits?.['cpu'] === cpu
    const { status } = await space.waitFor(pods, 'pod', isDone)
    assert.deepEqual([status?.allocatedResources, status?.resources], [{ cpu, memory }, whole(cpu, memory)])
    const [quota = '', limit = ''] = await settings()
    assert.deepEqual([Number(quota), Number(limit)], [Number.parseInt(cpu) * 100, Number.parseInt(memory) * 1024 ** 2])
    assert.equal(status?.containerStatuses?.[0]?.restartCount, 0)
  }
})

describe('resize', { skip, concurrency: 3 }, () => {
  const three = [guaranteed('50m', '50Mi'), guaranteed('60m', '60Mi'), guaranteed('70m', '70Mi')]
  const cases: readonly [title: string, after: readonly Size[]][] = [
    [
      'Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase: CPU (c1,c3), memory (c2, c3) ; decrease: CPU (c2)',
      [guaranteed('80m', '50Mi'), guaranteed('40m', '80Mi'), guaranteed('90m', '90Mi')],
    ],
    [
      'Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, decrease cpu & mem on c2, c3 - net decrease',
      [guaranteed('60m', '60Mi'), guaranteed('40m', '40Mi'), guaranteed('50m', '50Mi')],
    ],
    [
      'Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, c2, decrease cpu & mem on c3 - net increase',
      [guaranteed('80m', '80Mi'), guaranteed('90m', '90Mi'), guaranteed('50m', '50Mi')],
    ],
  ]
  for (const [title, after] of cases) {
    behaviour(area, title, async (t) => {
      const space = await shared.space(t)
      await start(space, three)
      await resize(space, three, after)
      // And back again.
      await resize(space, after, three)
    })
  }

  behaviour(
    area,
    'Pod InPlace Resize Container burstable pods - extended 6 containers - various operations performed (including adding limits and requests)',
    async (t) => {
      const space = await shared.space(t)
      const before: Size[] = [
        {},
        burstable('20m', '20Mi'),
        burstable('20m', '20Mi'),
        { requests: { cpu: '20m', memory: '20Mi' }, limits: { cpu: '30m', memory: '30Mi' } },
        { requests: { cpu: '20m', memory: '20Mi' }, limits: { cpu: '30m', memory: '30Mi' }, restart: 'memory' },
        { requests: { cpu: '20m', memory: '20Mi' }, limits: { cpu: '30m', memory: '30Mi' }, restart: 'cpu' },
      ]
      await start(space, before)
      await resize(space, before, [
        { requests: { cpu: '30m', memory: '25Mi' }, limits: { cpu: '40m', memory: '40Mi' } },
        burstable('30m', '30Mi'),
        { requests: { cpu: '25m', memory: '20Mi' }, limits: { cpu: '40m', memory: '40Mi' } },
        { requests: { cpu: '15m', memory: '15Mi' }, limits: { cpu: '25m', memory: '25Mi' } },
        { requests: { cpu: '30m', memory: '30Mi' }, limits: { cpu: '40m', memory: '40Mi' } },
        { requests: { cpu: '20m', memory: '25Mi' }, limits: { cpu: '30m', memory: '35Mi' } },
      ])
    },
  )

  behaviour(area, 'Pod InPlace Resize Container burstable pods - extended resize with equivalents', async (t) => {
    const space = await shared.space(t)
    const before = [{ requests: { cpu: '2m', memory: '32Mi' }, limits: { cpu: '10m', memory: '64Mi' } }]
    await start(space, before)
    // Fewer than 2 shares and less than a millisecond's quota cannot be told to the kernel: it holds the same as before.
    const after = [{ requests: { cpu: '1m', memory: '33554432' }, limits: { cpu: '5m', memory: '65536Ki' } }]
    await resize(space, before, after)
  })

  behaviour(area, 'Pod InPlace Resize Container resize pod via the replace endpoint', async (t) => {
    const space = await shared.space(t)
    const [before, after] = [[guaranteed('50m', '50Mi')], [guaranteed('80m', '80Mi')]]
    const pod = await start(space, before)
    const containers = pod.spec.containers.map((container, index) => ({
      ...container,
      resources: containerOf(after[index] as Size, index).resources,
    }))
    const path = `/api/v1/namespaces/${space.namespace}/pods/pod/resize`
    const { resourceVersion } = (await space.of(pods).get('pod')).metadata
    const body = { ...pod, metadata: { ...pod.metadata, resourceVersion }, spec: { ...pod.spec, containers } }
    await shared.client.raw({ method: 'PUT', path, body })
    await verify(space, before, after)
  })
})
