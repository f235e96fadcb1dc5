import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { testServer, type TestServer } from '#apiserver/server.case.ts'
import { httpsWebhookCaller } from '#apiserver/webhooks/webhook-caller.ts'
import { httpsExtension, reviewing, type HttpsExtension, type ReviewedObject } from './https-extension.ts'

const group = 'stable.example.com'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const pathOf = (version: string): string => `/apis/${group}/${version}/namespaces/default/crontabs`
const merge = { 'content-type': 'application/merge-patch+json' }

/** Version 1 keeps `hostPort: "host:port"`, version 2 `host` and `port` apart. */
function definition(webhook: HttpsExtension, storage: 'v1' | 'v2'): object {
  const version = (name: string, properties: object): object => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  })
  return {
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab' },
      versions: [
        version('v1', { hostPort: { type: 'string' } }),
        version('v2', { host: { type: 'string' }, port: { type: 'string' } }),
      ],
      conversion: {
        strategy: 'Webhook',
        webhook: {
          clientConfig: { url: `${webhook.url}/convert`, caBundle: webhook.caBundle },
          conversionReviewVersions: ['v1'],
        },
      },
    },
  }
}

function convert(object: ReviewedObject, apiVersion: string): object {
  const { spec = {} } = object
  if (apiVersion.endsWith('v2')) {
    const [host, port] = String(spec['hostPort'] as string).split(':')
    return { ...object, apiVersion, spec: { host, port } }
  }
  return { ...object, apiVersion, spec: { hostPort: `${spec['host'] as string}:${spec['port'] as string}` } }
}

interface Converted {
  readonly server: TestServer
  /** How many objects each call brought. */
  readonly batches: number[]
  answer: ((objects: readonly ReviewedObject[], apiVersion: string) => object) | undefined
}

async function cluster(t: TestContext, storage: 'v1' | 'v2' = 'v1'): Promise<Converted> {
  const state: { batches: number[]; answer: Converted['answer'] } = { batches: [], answer: undefined }
  const webhook = await httpsExtension(
    t,
    reviewing(({ objects, desiredAPIVersion }) => {
      state.batches.push(objects.length)
      if (state.answer !== undefined) return state.answer(objects, desiredAPIVersion)
      const convertedObjects = objects.map((object) => convert(object, desiredAPIVersion))
      return { result: { status: 'Success' }, convertedObjects }
    }),
  )
  const server = await testServer({ callWebhook: httpsWebhookCaller() })
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  const made = await server.call(`POST ${definitions}`, { body: definition(webhook, storage) })
  assert.equal(made.code, 201, made.object.message)
  const watch = await server.watch(definitions, 'resourceVersion=0')
  for (let served = false; !served; served = (await server.call(`GET ${pathOf('v1')}`)).code === 200) {
    await watch.take(1)
  }
  watch.stop()
  state.batches.length = 0
  return Object.assign(state, { server })
}

const tab = (version: string, name: string, spec: object): object => ({
  apiVersion: `${group}/${version}`,
  kind: 'CronTab',
  metadata: { name },
  spec,
})

test('an object is served in every version, and can be written in each', async (t) => {
  const { server } = await cluster(t)
  const made = await server.call(`POST ${pathOf('v2')}`, { body: tab('v2', 'a', { host: 'h', port: '1' }) })
  assert.equal(made.code, 201, made.object.message)
  assert.deepEqual([made.object.apiVersion, made.object.spec], [`${group}/v2`, { host: 'h', port: '1' }])
  assert.deepEqual((await server.call(`GET ${pathOf('v1')}/a`)).object.spec, { hostPort: 'h:1' })
  const patched = await server.call(`PATCH ${pathOf('v2')}/a`, { body: { spec: { port: '2' } }, headers: merge })
  assert.deepEqual(patched.object.spec, { host: 'h', port: '2' })
  assert.deepEqual((await server.call(`GET ${pathOf('v1')}/a`)).object.spec, { hostPort: 'h:2' })
  assert.equal(patched.object.metadata.uid, made.object.metadata.uid)
  const gone = await server.call(`DELETE ${pathOf('v2')}/a`)
  assert.equal(gone.code, 200)
})

test('a list is converted by one call, and only what is in another version; a watch converts as it goes', async (t) => {
  const state = await cluster(t)
  const { server, batches } = state
  for (const name of ['a', 'b', 'c']) {
    await server.call(`POST ${pathOf('v1')}`, { body: tab('v1', name, { hostPort: `${name}:1` }) })
  }
  assert.deepEqual(batches, [])
  const list = (await server.call(`GET ${pathOf('v2')}`)).object.items
  assert.deepEqual(batches, [3])
  assert.deepEqual(
    list.map(({ spec }) => spec['host']),
    ['a', 'b', 'c'],
  )
  await server.call(`GET ${pathOf('v2')}`)
  assert.deepEqual(batches, [3], 'what was converted once is remembered')
  const watch = await server.watch(pathOf('v2'), 'resourceVersion=0')
  const { value } = (await watch.events.next()) as { value: { object: { spec: object } } }
  assert.deepEqual(value.object.spec, { host: 'a', port: '1' })
  watch.stop()
})

test('objects that were stored in an older version are found among newer ones', async (t) => {
  const { server } = await cluster(t)
  await server.call(`POST ${pathOf('v1')}`, { body: tab('v1', 'old', { hostPort: 'o:1' }) })
  const live = (await server.call(`GET ${definitions}/crontabs.${group}`)).object
  const versions = (live.spec['versions'] as { name: string }[]).map((each) => ({
    ...each,
    storage: each.name === 'v2',
  }))
  const changed = await server.call(`PATCH ${definitions}/crontabs.${group}`, {
    body: { spec: { versions } },
    headers: merge,
  })
  assert.deepEqual((changed.object.status as { storedVersions: string[] }).storedVersions, ['v1', 'v2'])
  await server.call(`POST ${pathOf('v2')}`, { body: tab('v2', 'new', { host: 'n', port: '2' }) })
  for (const version of ['v1', 'v2']) {
    const { items } = (await server.call(`GET ${pathOf(version)}`)).object
    assert.deepEqual(
      items.map(({ apiVersion, metadata }) => `${apiVersion} ${metadata.name}`),
      [`${group}/${version} new`, `${group}/${version} old`],
    )
  }
})

const failures: readonly (readonly [what: string, answer: NonNullable<Converted['answer']>, message: string])[] = [
  [
    'says that it failed',
    () => ({ result: { status: 'Failure', message: 'out of paper' } }),
    `conversion webhook for ${group}/v1, Kind=CronTab failed: out of paper`,
  ],
  [
    'says nothing',
    () => ({ convertedObjects: [] }),
    `conversion webhook for ${group}/v1, Kind=CronTab failed: response.result.status was "", expected "Success"`,
  ],
  [
    'loses objects',
    () => ({ result: { status: 'Success' }, convertedObjects: [] }),
    `conversion webhook for ${group}/v1, Kind=CronTab returned 0 objects, expected 1`,
  ],
  [
    'answers in the wrong version',
    (objects) => ({ result: { status: 'Success' }, convertedObjects: objects }),
    `conversion webhook for ${group}/v1, Kind=CronTab returned invalid converted object at index 0: invalid groupVersion (expected: ${group}/v2, received: ${group}/v1)`,
  ],
  [
    'renames objects',
    (objects, apiVersion) => ({
      result: { status: 'Success' },
      convertedObjects: objects.map((each) => ({ ...each, apiVersion, metadata: { ...each.metadata, name: 'x' } })),
    }),
    `conversion webhook for ${group}/v1, Kind=CronTab returned invalid converted object at index 0: must have the same name: a != x`,
  ],
]
test('a webhook that converts badly is told about', async (t) => {
  const state = await cluster(t)
  const { server } = state
  await server.call(`POST ${pathOf('v1')}`, { body: tab('v1', 'a', { hostPort: 'h:1' }) })
  for (const [what, answer, message] of failures) {
    await t.test(what, async () => {
      state.answer = answer
      const failed = await server.call(`GET ${pathOf('v2')}/a`)
      assert.deepEqual([failed.code, failed.object.message], [500, message])
    })
  }
})

test('of metadata a webhook changes labels and annotations alone', async (t) => {
  const state = await cluster(t)
  state.answer = (objects, apiVersion) => ({
    result: { status: 'Success' },
    convertedObjects: objects.map((each) => ({
      ...convert(each, apiVersion),
      metadata: { ...each.metadata, labels: { by: 'webhook' }, finalizers: ['x/y'], resourceVersion: '1' },
    })),
  })
  const { server } = state
  const made = await server.call(`POST ${pathOf('v1')}`, { body: tab('v1', 'a', { hostPort: 'h:1' }) })
  const { metadata } = (await server.call(`GET ${pathOf('v2')}/a`)).object
  assert.deepEqual(metadata.labels, { by: 'webhook' })
  assert.equal(metadata.finalizers, undefined)
  assert.equal(metadata.resourceVersion, made.object.metadata.resourceVersion)
})
