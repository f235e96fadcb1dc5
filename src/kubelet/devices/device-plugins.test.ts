import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { TopologyManager } from '../topology/topology-manager.ts'
import { candidateDevices, nearestDevices, type Device } from './choose-devices.ts'
import { DevicePlugins } from './device-plugins.ts'
import { startTestPlugin, type TestPlugin, type TestPluginOptions } from './plugin.case.ts'

const resource = 'vendor.example/card'

function container(name: string, count: number): Container {
  return { name, resources: count === 0 ? {} : { limits: { [resource]: String(count) } } }
}

function pod(uid: string, containers: readonly Container[], initContainers: readonly Container[] = []): Pod {
  const metadata = { name: uid, namespace: 'default', uid, resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, initContainers } }
}

interface World {
  readonly folder: string
  readonly live: Set<string>
  readonly clock: ReturnType<typeof manualClock>
  plugins: DevicePlugins
  /** Waits for the next news of a plugin. */
  changed(): Promise<void>
  plugin(options: Omit<TestPluginOptions, 'folder' | 'resource'>): Promise<TestPlugin>
  reserve(pod: Pod): Promise<void>
  /** As after a restart of the kubelet. */
  restart(): Promise<void>
}

async function world(t: TestContext): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-devices-'))
  const live = new Set<string>()
  const clock = manualClock()
  let next = Promise.withResolvers<void>()
  const onChange = (): void => {
    next.resolve()
    next = Promise.withResolvers()
  }
  const make = async (): Promise<DevicePlugins> => {
    const made = new DevicePlugins({ folder, clock, log: silentLog, numaNodes: [0, 1], onChange })
    await made.load()
    await made.serve()
    return made
  }
  const self: World = {
    ...{ folder, live, clock },
    plugins: await make(),
    changed: () => next.promise,
    async plugin(options) {
      const told = next.promise
      const started = await startTestPlugin({ folder, resource, ...options })
      t.after(() => started.stop())
      await told
      return started
    },
    async reserve(asking) {
      const settings = { policy: 'none', scope: 'container', prefersClosestNodes: false, maximumNodes: 8 } as const
      const manager = new TopologyManager({ settings, nodes: [], managers: [self.plugins] })
      await manager.admit(asking, new Set([...live, asking.metadata.uid]))
    },
    async restart() {
      await self.plugins.stop()
      self.plugins = await make()
    },
  }
  t.after(async () => {
    await self.plugins.stop()
    rmSync(folder, { recursive: true })
  })
  return self
}

const three = [{ id: 'a' }, { id: 'b' }, { id: 'c', healthy: false }]

test('a plugin registers, tells what it has, and gives containers what they asked for', async (t) => {
  const { plugins, plugin, changed, reserve } = await world(t)
  const card = await plugin({ devices: three })
  assert.deepEqual(plugins.counts(), [{ resource, capacity: 3, allocatable: 2 }])
  const asking = pod('p', [container('main', 2), container('other', 0)])
  await reserve(asking)
  await reserve(asking)
  const grants = await plugins.grant(asking, asking.spec.containers[0] as Container)
  assert.deepEqual(grants, {
    env: [{ name: 'DEVICES', value: 'a,b' }],
    mounts: [{ containerPath: '/etc/vendor', hostPath: '/opt/vendor', readOnly: true, propagation: 'private' }],
    devices: ['a', 'b'].map((id) => ({ containerPath: `/dev/${id}`, hostPath: '/dev/null', permissions: 'rw' })),
    annotations: { 'vendor.example/devices': 'a,b' },
    cdiDevices: [],
  })
  assert.deepEqual(card.calls, ['allocate a,b', 'preStart a,b'])
  assert.deepEqual((await plugins.grant(asking, asking.spec.containers[1] as Container)).env, [])
  const told = changed()
  card.tell([{ id: 'a', healthy: false }, { id: 'b' }])
  await told
  assert.deepEqual(plugins.counts(), [{ resource, capacity: 2, allocatable: 1 }])
})

test('no device is given out twice, not even after a restart; those of pods that are gone are free again', async (t) => {
  const self = await world(t)
  await self.plugin({ devices: three })
  self.live.add('p')
  await self.reserve(pod('p', [container('main', 1)]))
  const unavailable = `Allocate failed due to requested number of devices unavailable for ${resource}. Requested: 2, Available: 1, which is unexpected`
  await assert.rejects(self.reserve(pod('q', [container('main', 2)])), { message: unavailable })
  await self.restart()
  assert.deepEqual(self.plugins.counts(), [{ resource, capacity: 0, allocatable: 0 }])
  await assert.rejects(self.reserve(pod('q', [container('main', 1)])), {
    message: `Allocate failed due to no healthy device plugin for resource ${resource}, which is unexpected`,
  })
  await self.plugin({ devices: three })
  await assert.rejects(self.reserve(pod('q', [container('main', 2)])), { message: unavailable })
  self.live.clear()
  await self.reserve(pod('q', [container('main', 2)]))
})

test('an init container leaves its devices to those after it', async (t) => {
  const { plugins, plugin, reserve } = await world(t)
  const card = await plugin({ devices: [{ id: 'a' }, { id: 'b' }] })
  const both = pod('p', [container('main', 2)], [container('first', 1), container('second', 2)])
  await reserve(both)
  for (const each of [...(both.spec.initContainers ?? []), ...both.spec.containers]) await plugins.grant(both, each)
  assert.deepEqual(
    card.calls.filter((call) => call.startsWith('allocate')),
    ['allocate a', 'allocate a,b', 'allocate a,b'],
  )
})

test("the plugin's wish counts where it can be had", async (t) => {
  const { plugins, plugin, reserve } = await world(t)
  const wishes: (readonly string[])[] = [
    ['c', 'b'],
    ['a', 'z'],
  ]
  const card = await plugin({
    devices: ['a', 'b', 'c', 'd'].map((id) => ({ id })),
    prefers: () => wishes.shift() ?? [],
  })
  for (const [uid, count] of [
    ['p', 2],
    ['q', 1],
  ] as const) {
    const asking = pod(uid, [container('main', count)])
    await reserve(asking)
    await plugins.grant(asking, asking.spec.containers[0] as Container)
  }
  assert.deepEqual(
    card.calls.filter((call) => call.startsWith('allocate')),
    ['allocate c,b', 'allocate a'],
  )
})

test('a plugin that goes takes its devices along, and after five minutes the resource', async (t) => {
  const { plugins, plugin, changed, clock } = await world(t)
  const card = await plugin({ devices: three })
  const told = changed()
  await card.stop()
  await told
  assert.deepEqual(plugins.counts(), [{ resource, capacity: 3, allocatable: 0 }])
  await clock.advance(302_000)
  assert.deepEqual(plugins.counts(), [{ resource, capacity: 0, allocatable: 0 }])
})

test('a plugin of another version, or with a name that is no extended resource, is refused', async (t) => {
  const { folder } = await world(t)
  await assert.rejects(startTestPlugin({ folder, resource, devices: [], version: 'v1' }), {
    message: /requested API version "v1" is not supported by kubelet. Supported version is \["v1beta1"\]$/,
  })
  for (const name of ['cards', 'kubernetes.io/card', 'x.kubernetes.io/card']) {
    await assert.rejects(startTestPlugin({ folder, resource: name, devices: [] }), {
      message: new RegExp(`the ResourceName "${name}" is invalid$`),
    })
  }
})

test('devices near one another are given together', () => {
  const devices: Device[] = [
    ['a', 0],
    ['b', 1],
    ['c', 1],
    ['d', 0],
    ['e', 1],
  ].map(([id, node]) => ({ id: id as string, isHealthy: true, numaNodes: [node as number] }))
  const choose = (needed: number, taken: readonly string[], reusable: readonly string[] = []): string[] => {
    const candidates = candidateDevices(resource, { needed, devices, taken: new Set(taken), reusable })
    return nearestDevices(candidates, needed, devices)
  }
  assert.deepEqual(choose(2, []), ['b', 'c'])
  assert.deepEqual(choose(2, ['b', 'c']), ['a', 'd'])
  assert.deepEqual(choose(2, ['a'], ['a']), ['a', 'd'])
})
