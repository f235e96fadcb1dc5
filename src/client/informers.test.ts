import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps } from '#api/types/resources.ts'
import { BoundedQueue } from '#lib/bounded-queue.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import type { RawRequest, Transport } from './client.ts'
import { ConnectionError } from './connection-error.ts'
import { createClient } from './create-client.ts'
import { createInformers } from './informers.ts'

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function configMap(name: string, resourceVersion: number, value = '', uid = name): ConfigMap {
  const metadata = { name, namespace: 'default', uid, resourceVersion: String(resourceVersion), creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } }
}

/** A transport whose lists and watches the test plays by hand. */
function scripted(lists: (readonly ConfigMap[] | Error)[]) {
  const requests: string[] = []
  const watches: BoundedQueue<WireWatchEvent | Error>[] = []
  const transport: Transport = {
    async request(request: RawRequest) {
      requests.push(`list ${new URLSearchParams(request.query)}`)
      const list = lists.shift()
      if (list === undefined || list instanceof Error) throw list ?? new Error('no list left')
      return { items: list, metadata: { resourceVersion: String(10 * (4 - lists.length)) } }
    },
    async *watch(request: RawRequest) {
      requests.push(`watch ${new URLSearchParams(request.query)}`)
      const events = new BoundedQueue<WireWatchEvent | Error>(100)
      watches.push(events)
      request.signal?.addEventListener('abort', () => events.close())
      for await (const event of events) {
        if (event instanceof Error) throw event
        yield event
      }
    },
    as: () => transport,
  }
  const clock = manualClock()
  const random = seededRandom(1)
  const informers = createInformers({ client: createClient(transport), clock, random, log: silentLog })
  return { informers, requests, watches, clock }
}

function record(informer: ReturnType<ReturnType<typeof createInformers>['of']>): string[] {
  const seen: string[] = []
  informer.listen({
    added: (object) => seen.push(`+${object.metadata.name}`),
    updated: (object, previous) =>
      seen.push(`~${object.metadata.name} ${previous.metadata.resourceVersion}>${object.metadata.resourceVersion}`),
    deleted: (object) => seen.push(`-${object.metadata.name}`),
  })
  return seen
}

test('an informer lists, watches from there, and keeps the very objects', async () => {
  const first = configMap('a', 1)
  const { informers, requests, watches } = scripted([[first], [], []])
  const informer = informers.of(configMaps)
  const seen = record(informer as never)
  assert.equal(informer.hasSynced, false)
  await informers.synced()
  await settle()
  assert.equal(informer.get('a', 'default'), first)
  watches[0]?.push({ type: 'ADDED', object: configMap('b', 21) })
  watches[0]?.push({ type: 'MODIFIED', object: configMap('a', 22, 'x') })
  watches[0]?.push({ type: 'DELETED', object: configMap('b', 23) })
  await settle()
  assert.deepEqual(seen, ['+a', '+b', '~a 1>22', '-b'])
  assert.equal(informer.resourceVersion, '23')
  assert.deepEqual(
    informer.list('default').map((object) => object.data?.value),
    ['x'],
  )
  assert.deepEqual(requests, ['list resourceVersion=0', 'watch resourceVersion=20&watch=true&allowWatchBookmarks=true'])
  await informers.stop()
})

test('one informer per resource and selector', () => {
  const { informers } = scripted([])
  assert.equal(informers.of(configMaps), informers.of(configMaps, {}))
  assert.notEqual(informers.of(configMaps), informers.of(configMaps, { namespace: 'default' }))
})

test('a lost connection resumes at the last bookmark without a list', async () => {
  const { informers, requests, watches, clock } = scripted([[configMap('a', 1)], []])
  informers.of(configMaps)
  await settle()
  watches[0]?.push({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '99' } } })
  watches[0]?.push(new ConnectionError('reset'))
  await clock.advance(2_000)
  assert.deepEqual(requests.slice(1), [
    'watch resourceVersion=30&watch=true&allowWatchBookmarks=true',
    'watch resourceVersion=99&watch=true&allowWatchBookmarks=true',
  ])
  await informers.stop()
})

test('410 lists again and reports only the differences', async () => {
  const kept = configMap('kept', 1)
  const lists = [
    [kept, configMap('changed', 2), configMap('gone', 3), configMap('reborn', 4, '', 'uid-1')],
    [kept, configMap('changed', 12), configMap('new', 13), configMap('reborn', 14, '', 'uid-2')],
  ]
  const { informers, requests, watches, clock } = scripted(lists)
  const seen = record(informers.of(configMaps) as never)
  await settle()
  seen.length = 0
  watches[0]?.push(new StatusError('Expired', 'too old resource version'))
  await clock.advance(2_000)
  assert.deepEqual(seen, ['~changed 2>12', '+new', '-reborn', '+reborn', '-gone'])
  assert.equal(requests[2], 'list ')
  await informers.stop()
})

test('failing lists back off and stop ends the waiting', async () => {
  const { informers, requests, clock } = scripted([new Error('down'), new Error('down'), []])
  const informer = informers.of(configMaps)
  await clock.advance(700)
  assert.equal(requests.length, 1)
  await clock.advance(10_000)
  assert.equal(informer.hasSynced, true)
  await informers.stop()
})

test('indexes follow changes, whenever they were defined', async () => {
  const { informers, watches } = scripted([[configMap('a', 1, 'red'), configMap('b', 2, 'red')]])
  const informer = informers.of(configMaps)
  const early = informer.index('early', (object) => [object.data?.value ?? ''])
  await settle()
  const late = informer.index('late', (object) => [object.data?.value ?? ''])
  watches[0]?.push({ type: 'MODIFIED', object: configMap('a', 31, 'blue') })
  await settle()
  for (const byColor of [early, late]) {
    assert.deepEqual(
      byColor('red').map((object) => object.metadata.name),
      ['b'],
    )
    assert.deepEqual(
      byColor('blue').map((object) => object.metadata.name),
      ['a'],
    )
    assert.deepEqual(byColor('green'), [])
  }
  await informers.stop()
})

test('a late listener is told of what is there, and a removed one of nothing more', async () => {
  const { informers, watches } = scripted([[configMap('a', 1)]])
  const informer = informers.of(configMaps)
  await settle()
  const seen: string[] = []
  const remove = informer.listen({ added: (object) => seen.push(object.metadata.name) })
  assert.deepEqual(seen, ['a'])
  remove()
  watches[0]?.push({ type: 'ADDED', object: configMap('b', 31) })
  await settle()
  assert.deepEqual(seen, ['a'])
  await informers.stop()
})

test('an informer that is released asks nobody, says that all is gone, and goes on when it is wanted again', async () => {
  const { informers, requests, clock } = scripted([[configMap('a', 5)], [configMap('a', 25), configMap('b', 26)]])
  const informer = informers.of(configMaps)
  const seen = record(informer)
  await informers.synced()
  await settle()
  informers.release(configMaps)
  await clock.advance(600_000)
  await settle()
  assert.deepEqual([seen, requests.length, informer.hasSynced], [['+a', '-a'], 2, false])
  assert.equal(informers.of(configMaps), informer)
  await settle()
  assert.deepEqual(seen, ['+a', '-a', '+a', '+b'])
  assert.equal(informer.hasSynced, true)
  await informers.stop()
})
