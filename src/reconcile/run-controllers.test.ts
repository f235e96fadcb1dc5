import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf, type KubernetesObject } from '#api/meta/resource.ts'
import { conflict } from '#api/meta/status.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, secrets } from '#api/types/resources.ts'
import type { Transport } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informer, InformerListener, Informers } from '#client/informer.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { defineController, TerminalError, watchOf, type Controller, type ControllerContext } from './controller.ts'
import { runControllers } from './run-controllers.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function configMap(name: string, resourceVersion: string): ConfigMap {
  const metadata = { name, namespace: 'default', uid: name, resourceVersion, creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata }
}

/** Informers that show what the test puts into them, when the test does. */
function handInformers() {
  const objects = new Map<string, ConfigMap>()
  let listener: InformerListener<ConfigMap> | undefined
  let resourceVersion = '1'
  const informer: Informer<ConfigMap> = {
    hasSynced: true,
    get resourceVersion() {
      return resourceVersion
    },
    get: (name, namespace) => objects.get(`${namespace}/${name}`),
    list: () => [...objects.values()],
    listen(added) {
      listener = added
      return () => (listener = undefined)
    },
    index: () => () => [],
  }
  const informers: Informers = {
    of: <T extends KubernetesObject>() => informer as unknown as Informer<T>,
    release: () => undefined,
    synced: async () => undefined,
    stop: async () => undefined,
  }
  const show = (object: ConfigMap): void => {
    resourceVersion = object.metadata.resourceVersion
    const previous = objects.get(keyOf(object))
    objects.set(keyOf(object), object)
    if (previous === undefined) listener?.added?.(object)
    else listener?.updated?.(object, previous)
  }
  return { informers, show }
}

const noEvents: EventRecorder = { record: () => undefined, from: () => noEvents }

function setting(reconcile: Controller['reconcile'], controllers: Partial<Controller> = {}) {
  const { informers, show } = handInformers()
  const transport: Transport = {
    request: async () => configMap('made', '9'),
    watch: () => assert.fail('the informers are given'),
    as: () => transport,
  }
  const stopping = new AbortController()
  const clock = manualClock()
  const context: Omit<ControllerContext, 'metrics'> = {
    client: createClient(transport),
    informers,
    events: noEvents,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: stopping.signal,
  }
  const controller = defineController({
    name: 'tester',
    watches: [watchOf(configMaps)],
    writes: [],
    reconcile,
    ...controllers,
  })
  return { clock, show, running: runControllers([controller], context), stopping }
}

test('changes become keys, and a key is worked on once for many changes', async () => {
  const keys: string[] = []
  const { show, running } = setting(async (key) => void keys.push(key))
  show(configMap('a', '2'))
  show(configMap('a', '3'))
  await running.started
  await turns()
  assert.deepEqual(keys, ['default/a'])
  assert.ok(running.isIdle())
})

test('a key waits until the informer has seen what was written for it', async () => {
  const keys: string[] = []
  const { show, running } = setting(
    async (key, { client }) => {
      keys.push(key)
      if (keys.length === 1) await client.resource(configMaps, 'default').create({ metadata: { name: 'made' } })
    },
    { watches: [watchOf(configMaps, () => ['k'])] },
  )
  await running.started
  show(configMap('a', '2'))
  await turns()
  show(configMap('a', '8'))
  await turns()
  assert.deepEqual(keys, ['k'])
  assert.equal(running.metrics()[0]?.waiting, 1)
  show(configMap('made', '9'))
  await turns()
  assert.deepEqual(keys, ['k', 'k'])
  assert.ok(running.isIdle())
})

test('a key waits until the informer shows a deletion it asked for', async () => {
  const keys: string[] = []
  const { show, running } = setting(
    async (key, { client }) => {
      keys.push(key)
      if (keys.length === 1) await client.resource(configMaps, 'default').delete('a')
    },
    { watches: [watchOf(configMaps, () => ['k'])] },
  )
  await running.started
  show(configMap('a', '2'))
  await turns()
  show(configMap('b', '3'))
  await turns()
  assert.deepEqual(keys, ['k'])
  const marked = configMap('a', '4')
  show({ ...marked, metadata: { ...marked.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  await turns()
  assert.deepEqual(keys, ['k', 'k'])
})

test('failures back off, conflicts count apart, terminal ones wait for a change', async () => {
  const errors: Error[] = [
    new Error('first'),
    conflict({ group: '', resource: 'configmaps', name: 'a' }),
    new TerminalError('never'),
  ]
  let calls = 0
  const { clock, show, running } = setting(async () => {
    calls++
    const error = errors.shift()
    if (error !== undefined) throw error
  })
  await running.started
  show(configMap('a', '2'))
  await turns()
  assert.equal(calls, 1)
  await clock.advance(5)
  assert.equal(calls, 2)
  await clock.advance(60_000)
  assert.equal(calls, 3)
  show(configMap('a', '3'))
  await turns()
  assert.equal(calls, 4)
  const { failures, conflicts, reconciles } = running.metrics()[0] ?? {}
  assert.deepEqual([failures, conflicts, reconciles], [2, 1, 4])
})

test('a key comes back when its result says so, and not after a stop', async () => {
  let calls = 0
  const { clock, show, running, stopping } = setting(async () => {
    calls++
    return { requeueAfterMs: 1_000 }
  })
  await running.started
  show(configMap('a', '2'))
  await clock.advance(2_500)
  assert.equal(calls, 3)
  stopping.abort()
  await clock.advance(5_000)
  assert.equal(calls, 3)
})

test('watches can be added at run time', async () => {
  const keys: string[] = []
  const { show, running } = setting(async (key) => void keys.push(key), {
    watches: [],
    watchMore: (_context, watch) => watch(watchOf(secrets)),
  })
  await running.started
  show(configMap('a', '2'))
  await turns()
  assert.deepEqual(keys, ['default/a'])
})
