/** Goal: watches tell everything once and in order. Method: the API server in this process and its config maps. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { configMap, testServer, type TestObject, type TestServer, type TestWatch } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'

const area = 'apimachinery/watch'
const path = '/api/v1/namespaces/default/configmaps'
const merge = { 'content-type': 'application/merge-patch+json' }

async function cluster(t: TestContext): Promise<TestServer> {
  const server = await testServer()
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  return server
}

async function create(server: TestServer, name: string, watched?: string): Promise<TestObject> {
  const metadata = { name, labels: watched === undefined ? {} : { watched } }
  const { code, object } = await server.call(`POST ${path}`, { body: configMap(name, { metadata }) })
  assert.equal(code, 201, object.message)
  return object
}

async function change(server: TestServer, name: string, body: object): Promise<TestObject> {
  const { code, object } = await server.call(`PATCH ${path}/${name}`, { body, headers: merge })
  assert.equal(code, 200, object.message)
  return object
}

const counted = (count: number): object => ({ data: { count: String(count) } })
const relabelled = (watched: string): object => ({ metadata: { labels: { watched } } })
const versionOf = ({ metadata }: TestObject): string => metadata.resourceVersion
const selecting = (values: string, version = ''): string =>
  `labelSelector=${encodeURIComponent(`watched in (${values})`)}&resourceVersion=${version}`

/** The next events: type, name and count. */
async function next(watch: TestWatch, length: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < length) {
    const { value, done } = await watch.events.next()
    if (done === true) return [...seen, 'end']
    const { metadata, data } = value.object as TestObject
    seen.push([value.type, metadata.name, data?.['count']].filter(Boolean).join(' '))
  }
  return seen
}

/** Nothing is waiting to be told: what is written now comes next. */
async function assertQuiet(server: TestServer, watch: TestWatch, labelled: string): Promise<void> {
  await create(server, 'marker', labelled)
  assert.deepEqual(await next(watch, 1), ['ADDED marker'])
  await server.call(`DELETE ${path}/marker`)
  assert.deepEqual(await next(watch, 1), ['DELETED marker'])
}

behaviour(area, 'Watchers should observe add, update, and delete watch notifications on configmaps', async (t) => {
  const server = await cluster(t)
  const a = await server.watch(path, selecting('a'))
  const b = await server.watch(path, selecting('b'))
  const both = await server.watch('/api/v1/configmaps', selecting('a,b'))
  await create(server, 'of-a', 'a')
  await change(server, 'of-a', counted(1))
  await change(server, 'of-a', counted(2))
  await server.call(`DELETE ${path}/of-a`)
  const ofA = ['ADDED of-a', 'MODIFIED of-a 1', 'MODIFIED of-a 2', 'DELETED of-a 2']
  assert.deepEqual(await next(a, 4), ofA)
  await create(server, 'of-b', 'b')
  await server.call(`DELETE ${path}/of-b`)
  const ofB = ['ADDED of-b', 'DELETED of-b']
  assert.deepEqual(await next(b, 2), ofB)
  assert.deepEqual(await next(both, 6), [...ofA, ...ofB])
  await assertQuiet(server, a, 'a')
  await assertQuiet(server, b, 'b')
})

behaviour(area, 'Watchers should be able to start watching from a specific resource version', async (t) => {
  const server = await cluster(t)
  await create(server, 'm', 'a')
  const first = await change(server, 'm', counted(1))
  await change(server, 'm', counted(2))
  await server.call(`DELETE ${path}/m`)
  const watch = await server.watch(path, selecting('a', versionOf(first)))
  assert.deepEqual(await next(watch, 2), ['MODIFIED m 2', 'DELETED m 2'])
  await assertQuiet(server, watch, 'a')
})

behaviour(
  area,
  'Watchers should be able to restart watching from the last resource version observed by the previous watch',
  async (t) => {
    const server = await cluster(t)
    const before = await server.watch(path, selecting('a'))
    await create(server, 'm', 'a')
    await change(server, 'm', counted(1))
    assert.deepEqual(await next(before, 1), ['ADDED m'])
    const { value } = await before.events.next()
    const seen = versionOf((value as { object: TestObject }).object)
    before.stop()
    await change(server, 'm', counted(2))
    await server.call(`DELETE ${path}/m`)
    const after = await server.watch(path, selecting('a', seen))
    assert.deepEqual(await next(after, 2), ['MODIFIED m 2', 'DELETED m 2'])
    await assertQuiet(server, after, 'a')
  },
)

behaviour(
  area,
  'Watchers should observe an object deletion if it stops meeting the requirements of the selector',
  async (t) => {
    const server = await cluster(t)
    const watch = await server.watch(path, selecting('a'))
    await create(server, 'm', 'a')
    await change(server, 'm', counted(1))
    await change(server, 'm', relabelled('other'))
    assert.deepEqual(await next(watch, 3), ['ADDED m', 'MODIFIED m 1', 'DELETED m 1'])
    await change(server, 'm', counted(2))
    await assertQuiet(server, watch, 'a')
    await change(server, 'm', relabelled('a'))
    await change(server, 'm', counted(3))
    await server.call(`DELETE ${path}/m`)
    assert.deepEqual(await next(watch, 3), ['ADDED m 2', 'MODIFIED m 3', 'DELETED m 3'])
  },
)

const writes = 100

/** Creates, changes and deletes at will, as a background process would. */
async function keepWriting(server: TestServer): Promise<void> {
  const known: string[] = []
  for (let index = 0; index < writes; index++) {
    const [oldest = ''] = known
    if (index % 3 === 2) await server.call(`DELETE ${path}/${known.shift() ?? ''}`)
    else if (index % 3 === 1) await change(server, oldest, counted(index))
    else known.push(versionlessName(await create(server, `m-${index}`, 'a')))
  }
}

const versionlessName = ({ metadata }: TestObject): string => metadata.name

async function versionsOf(watch: TestWatch, length: number): Promise<string[]> {
  const versions: string[] = []
  while (versions.length < length) {
    const { value } = await watch.events.next()
    versions.push(versionOf((value as { object: TestObject }).object))
  }
  return versions
}

behaviour(area, 'Watchers should receive events on concurrent watches in same order', async (t) => {
  const server = await cluster(t)
  const first = await server.watch(path, selecting('a'))
  const writing = keepWriting(server)
  const versions: string[] = []
  const others: TestWatch[] = []
  while (versions.length < writes) {
    const [version = ''] = await versionsOf(first, 1)
    versions.push(version)
    others.push(await server.watch(path, selecting('a', version)))
  }
  await writing
  for (const [index, watch] of others.entries()) {
    const expected = versions.slice(index + 1)
    assert.deepEqual(await versionsOf(watch, expected.length), expected)
    watch.stop()
  }
})
