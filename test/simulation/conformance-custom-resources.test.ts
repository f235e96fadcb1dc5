import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { testServer, type TestAnswer, type TestServer } from '#apiserver/server.case.ts'
import { httpsWebhookCaller } from '#apiserver/webhooks/webhook-caller.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { httpsExtension, reviewing } from './https-extension.ts'

const root = '/apis/apiextensions.k8s.io/v1'
const definitions = `${root}/customresourcedefinitions`
const merge = { 'content-type': 'application/merge-patch+json' }

interface Version {
  readonly name: string
  readonly [more: string]: unknown
}

interface Wanted {
  readonly plural?: string
  readonly group?: string
  readonly kind?: string
  readonly conversion?: object
  readonly labels?: object
}

const anything: Version = { name: 'v1', schema: { openAPIV3Schema: { type: 'object' } } }

function definition(versions: readonly Version[], wanted: Wanted = {}): object {
  const { plural = 'tabs', group = 'c.example', kind = 'Tab', conversion, labels = {} } = wanted
  const all = versions.map((version, index) => ({ served: true, storage: index === 0, ...version }))
  return {
    metadata: { name: `${plural}.${group}`, labels },
    spec: { group, scope: 'Namespaced', names: { plural, kind }, versions: all, ...(conversion && { conversion }) },
  }
}

async function cluster(t: TestContext): Promise<TestServer> {
  const server = await testServer({ callWebhook: httpsWebhookCaller() })
  t.after(() => server.close())
  await ok(server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } }))
  return server
}

async function ok(answer: Promise<TestAnswer>): Promise<TestAnswer> {
  const given = await answer
  assert.ok(given.code < 300, given.object.message)
  return given
}

const pathOf = (version = 'v1', plural = 'tabs', group = 'c.example'): string =>
  `/apis/${group}/${version}/namespaces/default/${plural}`

/** Creates a definition and waits until its resource is served. */
async function define(server: TestServer, versions: readonly Version[], wanted: Wanted = {}): Promise<void> {
  const { plural = 'tabs', group = 'c.example' } = wanted
  const watch = await server.watch(definitions, `fieldSelector=metadata.name%3D${plural}.${group}`)
  await ok(server.call(`POST ${definitions}`, { body: definition(versions, wanted) }))
  const [first] = versions
  while ((await server.call(`GET ${pathOf(first?.name, plural, group)}`)).code !== 200) await watch.take(1)
  watch.stop()
}

async function redefine(server: TestServer, change: (versions: Record<string, unknown>[]) => object[]): Promise<void> {
  const path = `${definitions}/tabs.c.example`
  const { spec } = (await ok(server.call(`GET ${path}`))).object
  const versions = change(structuredClone(spec['versions']) as Record<string, unknown>[])
  await ok(server.call(`PATCH ${path}`, { body: { spec: { versions } }, headers: merge }))
  await server.call(`GET ${path}`)
}

const tab = (name: string, more: object = {}, version = 'v1'): object => ({
  apiVersion: `c.example/${version}`,
  kind: 'Tab',
  metadata: { name },
  ...more,
})

const schema = (properties: object, more: object = {}): object => ({
  schema: { openAPIV3Schema: { type: 'object', properties, ...more } },
})

const definitionArea = 'apimachinery/custom_resource_definition'

behaviour(
  definitionArea,
  'CustomResourceDefinition resources Simple CustomResourceDefinition creating/deleting custom resource definition objects works',
  async (t) => {
    const server = await cluster(t)
    await define(server, [anything])
    await ok(server.call(`DELETE ${definitions}/tabs.c.example`))
    const watch = await server.watch(definitions, 'resourceVersion=0')
    while ((await server.call(`GET ${definitions}/tabs.c.example`)).code !== 404) await watch.take(1)
  },
)

behaviour(
  definitionArea,
  'CustomResourceDefinition resources Simple CustomResourceDefinition listing custom resource definition objects works',
  async (t) => {
    const server = await cluster(t)
    for (const plural of ['as', 'bs', 'cs']) {
      await define(server, [anything], {
        plural,
        kind: plural.toUpperCase(),
        labels: plural === 'cs' ? {} : { l: 'x' },
      })
    }
    const selected = await server.call(`GET ${definitions}`, { query: 'labelSelector=l%3Dx' })
    assert.deepEqual(
      selected.object.items.map(({ metadata }) => metadata.name),
      ['as.c.example', 'bs.c.example'],
    )
    const watch = await server.watch(definitions)
    await ok(server.call(`DELETE ${definitions}`, { query: 'labelSelector=l%3Dx' }))
    while ((await server.call(`GET ${definitions}`)).object.items.length > 1) await watch.take(1)
    assert.equal((await server.call(`GET ${definitions}`)).object.items[0]?.metadata.name, 'cs.c.example')
  },
)

behaviour(
  definitionArea,
  'CustomResourceDefinition resources Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works',
  async (t) => {
    const server = await cluster(t)
    await define(server, [anything])
    const path = `${definitions}/tabs.c.example/status`
    type Status = { conditions: { type: string; status: string }[] }
    const read = async (): Promise<Status> => (await ok(server.call(`GET ${path}`))).object.status as Status
    const { object } = await ok(server.call(`GET ${path}`))
    const before = object.status as Status
    const added = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'set from a test' }
    await ok(
      server.call(`PUT ${path}`, {
        body: { ...object, status: { ...before, conditions: [...before.conditions, added] } },
      }),
    )
    assert.ok((await read()).conditions.some(({ type }) => type === 'StatusUpdate'))
    const patched = [...before.conditions, { ...added, type: 'StatusPatch' }]
    await ok(server.call(`PATCH ${path}`, { body: { status: { conditions: patched } }, headers: merge }))
    assert.ok((await read()).conditions.some(({ type }) => type === 'StatusPatch'))
  },
)

behaviour(
  definitionArea,
  'CustomResourceDefinition resources custom resource defaulting for requests and from storage works',
  async (t) => {
    const server = await cluster(t)
    await define(server, [{ name: 'v1', ...schema({ a: { type: 'string' }, b: { type: 'string' } }) }])
    await ok(server.call(`POST ${pathOf()}`, { body: tab('first') }))
    const withDefault = (field: string) => (): object[] => [
      { name: 'v1', served: true, storage: true, ...schema(defaulted(field)) },
    ]
    const defaulted = (field: string): object => ({
      a: { type: 'string', ...(field === 'a' && { default: 'A' }) },
      b: { type: 'string', ...(field === 'b' && { default: 'B' }) },
    })
    const read = async (name: string): Promise<unknown[]> => {
      const { a, b } = (await ok(server.call(`GET ${pathOf()}/${name}`))).object as unknown as Record<string, unknown>
      return [a, b]
    }
    await redefine(server, withDefault('a'))
    assert.deepEqual(await read('first'), ['A', undefined])
    await ok(server.call(`POST ${pathOf()}`, { body: tab('second') }))
    await redefine(server, withDefault('b'))
    assert.deepEqual(await read('second'), ['A', 'B'])
  },
)

behaviour(
  definitionArea,
  'CustomResourceDefinition resources should include custom resource definition resources in discovery documents',
  async (t) => {
    const server = await cluster(t)
    const text = async (path: string): Promise<string> => JSON.stringify((await ok(server.call(`GET ${path}`))).object)
    assert.match(await text('/apis'), /"groupVersion":"apiextensions.k8s.io\/v1"/)
    assert.match(await text('/apis/apiextensions.k8s.io'), /"version":"v1"/)
    assert.match(await text(root), /"name":"customresourcedefinitions"/)
  },
)

behaviour(
  'apimachinery/crd_watch',
  'CustomResourceDefinition Watch CustomResourceDefinition Watch watch on custom resource definition objects',
  async (t) => {
    const server = await cluster(t)
    await define(server, [{ name: 'v1', ...schema({ n: { type: 'integer' } }) }])
    const watch = await server.watch(pathOf())
    await ok(server.call(`POST ${pathOf()}`, { body: tab('a') }))
    await ok(server.call(`PATCH ${pathOf()}/a`, { body: { n: 1 }, headers: merge }))
    await ok(server.call(`DELETE ${pathOf()}/a`))
    assert.deepEqual(await watch.take(3), ['ADDED a', 'MODIFIED a', 'DELETED a'])
  },
)

behaviour(
  'apimachinery/crd_selectable_fields',
  'CustomResourceFieldSelectors CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector',
  async (t) => {
    const server = await cluster(t)
    const webhook = await httpsExtension(
      t,
      reviewing(({ objects, desiredAPIVersion }) => ({
        result: { status: 'Success' },
        convertedObjects: objects.map((object) => {
          const { shade, color, ...rest } = object as unknown as Record<string, unknown>
          const value = shade ?? color
          const isNew = desiredAPIVersion.endsWith('v2')
          return { ...rest, apiVersion: desiredAPIVersion, ...(isNew ? { shade: value } : { color: value }) }
        }),
      })),
    )
    const clientConfig = { url: `${webhook.url}/`, caBundle: webhook.caBundle }
    const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
    const selectable = (field: string): object => ({
      ...schema({ [field]: { type: 'string' } }),
      selectableFields: [{ jsonPath: `.${field}` }],
    })
    const versions = [
      { name: 'v1', ...selectable('color') },
      { name: 'v2', ...selectable('shade') },
    ]
    await define(server, versions, { conversion })
    const old = await server.watch(pathOf('v1'), 'fieldSelector=color%3Dblue')
    const now = await server.watch(pathOf('v2'), 'fieldSelector=shade%3Dblue')
    for (const [name, color] of [
      ['a', 'blue'],
      ['b', 'red'],
      ['c', 'blue'],
    ] as const) {
      await ok(server.call(`POST ${pathOf()}`, { body: tab(name, { color }) }))
    }
    const listed = async (version: string, selector: string): Promise<string[]> => {
      const query = `fieldSelector=${encodeURIComponent(selector)}`
      const { items } = (await ok(server.call(`GET ${pathOf(version)}`, { query }))).object
      return items.map(({ metadata }) => metadata.name)
    }
    assert.deepEqual(await listed('v1', 'color=blue'), ['a', 'c'])
    assert.deepEqual(await listed('v2', 'shade=blue'), ['a', 'c'])
    assert.deepEqual(await listed('v2', 'shade!=blue'), ['b'])
    await ok(server.call(`PATCH ${pathOf()}/a`, { body: { color: 'red' }, headers: merge }))
    await ok(server.call(`PATCH ${pathOf()}/b`, { body: { color: 'blue' }, headers: merge }))
    await ok(server.call(`DELETE ${pathOf()}/c`))
    const events = ['ADDED a', 'ADDED c', 'DELETED a', 'ADDED b', 'DELETED c']
    assert.deepEqual([await old.take(5), await now.take(5)], [events, events])
    const refused = await server.call(`GET ${pathOf('v2')}`, { query: 'fieldSelector=color%3Dblue' })
    assert.deepEqual([refused.code, refused.object.message], [400, 'field label not supported: color'])
  },
)

const conversionArea = 'apimachinery/crd_conversion_webhook'

async function converting(t: TestContext): Promise<TestServer> {
  const webhook = await httpsExtension(
    t,
    reviewing(({ objects, desiredAPIVersion }) => ({
      result: { status: 'Success' },
      convertedObjects: objects.map((object) => ({ ...object, apiVersion: desiredAPIVersion, by: 'webhook' })),
    })),
  )
  const server = await cluster(t)
  const version = (name: string): Version => ({ name, ...schema({ by: { type: 'string' } }) })
  const clientConfig = { url: `${webhook.url}/`, caBundle: webhook.caBundle }
  const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
  await define(server, [version('v1'), version('v2')], { conversion })
  return server
}

behaviour(
  conversionArea,
  'CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2',
  async (t) => {
    const server = await converting(t)
    await ok(server.call(`POST ${pathOf()}`, { body: tab('a') }))
    const { object } = await ok(server.call(`GET ${pathOf('v2')}/a`))
    assert.deepEqual([object.apiVersion, (object as unknown as { by: string }).by], ['c.example/v2', 'webhook'])
  },
)

behaviour(
  conversionArea,
  'CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs',
  async (t) => {
    const server = await converting(t)
    await ok(server.call(`POST ${pathOf()}`, { body: tab('a') }))
    await redefine(server, (versions) => versions.map((each) => ({ ...each, storage: each['name'] === 'v2' })))
    await ok(server.call(`POST ${pathOf('v2')}`, { body: tab('b', {}, 'v2') }))
    const { items } = (await ok(server.call(`GET ${pathOf('v2')}`))).object
    assert.deepEqual(
      items.map(({ apiVersion, metadata }) => `${apiVersion} ${metadata.name}`),
      ['c.example/v2 a', 'c.example/v2 b'],
    )
  },
)

const discoveryArea = 'apimachinery/aggregated_discovery'
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

async function discover(server: TestServer, path: string, accept: string): Promise<[string, string]> {
  const { headers, text, object } = await ok(server.call(`GET ${path}`, { headers: { accept } }))
  return [headers['content-type'] ?? '', text === '' ? JSON.stringify(object) : text]
}

behaviour(discoveryArea, 'AggregatedDiscovery should support aggregated discovery interface', async (t) => {
  const server = await cluster(t)
  const [type, core] = await discover(server, '/api', aggregated)
  assert.equal(type, aggregated)
  assert.match(core, /"resource":"pods"/)
  const [, named] = await discover(server, '/apis', aggregated)
  for (const resource of ['deployments', 'jobs', 'customresourcedefinitions', 'leases']) {
    assert.ok(named.includes(`"resource":"${resource}"`), resource)
  }
})

behaviour(discoveryArea, 'AggregatedDiscovery should support aggregated discovery interface for CRDs', async (t) => {
  const server = await cluster(t)
  await define(server, [anything])
  assert.match((await discover(server, '/apis', aggregated))[1], /"resource":"tabs"/)
})

const acceptHeaders = [
  [aggregated, aggregated],
  [`${aggregated},application/json`, aggregated],
  ['application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json', 'application/json'],
  ['application/json', 'application/json'],
] as const

behaviour(
  discoveryArea,
  'AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers',
  async (t) => {
    const server = await cluster(t)
    for (const [accept, wanted] of acceptHeaders) {
      const [type, text] = await discover(server, '/apis', accept)
      assert.equal(type, wanted, accept)
      assert.ok(text.includes(wanted === aggregated ? '"resource":"deployments"' : '"groupVersion":"apps/v1"'))
    }
  },
)

behaviour(discoveryArea, 'AggregatedDiscovery should support raw aggregated discovery request for CRDs', async (t) => {
  const server = await cluster(t)
  await define(server, [anything])
  for (const [accept, wanted] of acceptHeaders) {
    const [type, text] = await discover(server, '/apis', accept)
    assert.ok(type === wanted && text.includes('c.example'), accept)
  }
})
