import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { configMap, type TestAnswer, type TestServer } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { httpsExtension, reviewing, type ReviewRequest } from './https-extension.ts'
import {
  collection,
  deny,
  patchOf,
  register,
  root,
  seen,
  trusted,
  webhookCluster,
  type Hook,
} from './webhook-cluster.ts'

const area = 'apimachinery/webhook'
const merge = { 'content-type': 'application/merge-patch+json' }
const pods = '/api/v1/namespaces/default/pods'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const tabs = '/apis/w.example/v1/namespaces/default/tabs'
const kinds = ['Mutating', 'Validating'] as const
type Kind = (typeof kinds)[number]

const pathOf = (kind: Kind): string => `${root}/${kind.toLowerCase()}webhookconfigurations`
const ruleFor = (resources: readonly string[], operations: readonly string[] = ['*'], group = '*'): object[] => [
  { apiGroups: [group], apiVersions: ['*'], operations, resources },
]
const allowed = { allowed: true }

/** A server whose requests one webhook answers; `respond` says how. */
async function judged(t: TestContext, respond: (request: ReviewRequest) => object, hook: Hook): Promise<TestServer> {
  const extension = await httpsExtension(t, reviewing(respond))
  const server = await webhookCluster(t)
  await register(server, trusted(extension), [hook])
  return server
}

async function ok(answer: Promise<TestAnswer>): Promise<TestAnswer> {
  const given = await answer
  assert.ok(given.code < 300, given.object.message)
  return given
}

const pod = (name: string): object => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } })

/** Declares a custom resource whose schema has `data`, and waits until it is served. */
async function define(server: TestServer, versions: readonly string[] = ['v1'], properties?: object): Promise<void> {
  const data = { type: 'object', additionalProperties: { type: 'string' } }
  const openAPIV3Schema = { type: 'object', properties: properties ?? { data } }
  const spec = {
    group: 'w.example',
    scope: 'Namespaced',
    names: { plural: 'tabs', kind: 'Tab' },
    versions: versions.map((name, index) => ({
      name,
      served: true,
      storage: index === 0,
      schema: { openAPIV3Schema },
    })),
  }
  const watch = await server.watch(definitions)
  await ok(server.call(`POST ${definitions}`, { body: { metadata: { name: 'tabs.w.example' }, spec } }))
  while ((await server.call(`GET ${tabs}`)).code !== 200) await watch.take(1)
  watch.stop()
}

const tab = (name: string, data: object = {}): object => ({
  apiVersion: 'w.example/v1',
  kind: 'Tab',
  metadata: { name },
  data,
})

async function manage(t: TestContext, kind: Kind): Promise<{ server: TestServer; path: string }> {
  const server = await judged(t, () => deny('no'), {
    kind,
    name: `${kind.toLowerCase()}.w.example`,
    rules: ruleFor(['configmaps'], ['CREATE']),
  })
  return { server, path: pathOf(kind) }
}

async function listing(t: TestContext, kind: Kind): Promise<void> {
  const { server, path } = await manage(t, kind)
  assert.equal((await ok(server.call(`GET ${path}`))).object.items.length, 1)
  assert.equal((await server.call(`POST ${collection}`, { body: configMap('a') })).code, 400)
  await ok(server.call(`DELETE ${path}`))
  await seen(server, path)
  await ok(server.call(`POST ${collection}`, { body: configMap('a') }))
}

async function updating(t: TestContext, kind: Kind): Promise<void> {
  const { server, path } = await manage(t, kind)
  const name = kind.toLowerCase()
  const { object } = await ok(server.call(`GET ${path}/${name}`))
  const [webhook] = (object as unknown as { webhooks: object[] }).webhooks
  const body = (operations: string[]): object => ({
    ...object,
    webhooks: [{ ...webhook, rules: ruleFor(['configmaps'], operations) }],
  })
  await ok(server.call(`PUT ${path}/${name}`, { body: body(['UPDATE']) }))
  await seen(server, path)
  await ok(server.call(`POST ${collection}`, { body: configMap('a') }))
  const webhooks = [{ ...webhook, rules: ruleFor(['configmaps'], ['CREATE']) }]
  await ok(server.call(`PATCH ${path}/${name}`, { body: { webhooks }, headers: merge }))
  await seen(server, path)
  assert.equal((await server.call(`POST ${collection}`, { body: configMap('b') })).code, 400)
}

async function conditions(t: TestContext, kind: Kind): Promise<void> {
  const { server, path } = await manage(t, kind)
  const name = kind.toLowerCase()
  const { object } = await ok(server.call(`GET ${path}/${name}`))
  const [webhook] = (object as unknown as { webhooks: object[] }).webhooks
  const matchConditions = [{ name: 'not-free', expression: "object.metadata.name != 'free'" }]
  await ok(server.call(`PUT ${path}/${name}`, { body: { ...object, webhooks: [{ ...webhook, matchConditions }] } }))
  await seen(server, path)
  await ok(server.call(`POST ${collection}`, { body: configMap('free') }))
  assert.equal((await server.call(`POST ${collection}`, { body: configMap('b') })).code, 400)
}

async function badConditions(t: TestContext, kind: Kind): Promise<void> {
  const server = await webhookCluster(t)
  const webhook = {
    name: 'a.w.example',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: 'https://a.example/' },
    matchConditions: [{ name: 'bad', expression: '... [] bad expression' }],
  }
  const refused = await server.call(`POST ${pathOf(kind)}`, { body: { metadata: { name: 'a' }, webhooks: [webhook] } })
  assert.equal(refused.code, 422)
  assert.match(
    refused.object.message,
    /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: .*compilation failed/,
  )
}

behaviour(area, 'AdmissionWebhook listing mutating webhooks should work', (t) => listing(t, 'Mutating'))
behaviour(area, 'AdmissionWebhook listing validating webhooks should work', (t) => listing(t, 'Validating'))
behaviour(area, 'AdmissionWebhook patching/updating a mutating webhook should work', (t) => updating(t, 'Mutating'))
behaviour(area, 'AdmissionWebhook patching/updating a validating webhook should work', (t) => updating(t, 'Validating'))
behaviour(
  area,
  'AdmissionWebhook should be able to create and update mutating webhook configurations with match conditions',
  (t) => conditions(t, 'Mutating'),
)
behaviour(
  area,
  'AdmissionWebhook should be able to create and update validating webhook configurations with match conditions',
  (t) => conditions(t, 'Validating'),
)
behaviour(area, 'AdmissionWebhook should reject mutating webhook configurations with invalid match conditions', (t) =>
  badConditions(t, 'Mutating'),
)
behaviour(area, 'AdmissionWebhook should reject validating webhook configurations with invalid match conditions', (t) =>
  badConditions(t, 'Validating'),
)

behaviour(area, 'AdmissionWebhook should be able to deny attaching pod', async (t) => {
  const hook = { rules: ruleFor(['pods/attach'], ['CONNECT']) }
  const server = await judged(t, () => deny("attaching to pod 'p' is not allowed"), hook)
  const refused = await server.call(`POST ${pods}/p/attach`, { query: 'stdout=1' })
  assert.match(refused.object.message, /attaching to pod 'p' is not allowed/)
})

behaviour(area, 'AdmissionWebhook should be able to deny pod and configmap creation', async (t) => {
  const respond = ({ object }: ReviewRequest): object =>
    object.metadata.name.startsWith('bad') ? deny('the object contains unwanted parts') : allowed
  const server = await judged(t, respond, { rules: ruleFor(['pods', 'configmaps'], ['CREATE', 'UPDATE']) })
  await ok(server.call(`POST ${collection}`, { body: configMap('good') }))
  for (const [path, body] of [
    [collection, configMap('bad')],
    [pods, pod('bad')],
  ] as const) {
    assert.match((await server.call(`POST ${path}`, { body })).object.message, /the object contains unwanted parts/)
  }
})

behaviour(area, 'AdmissionWebhook should be able to deny custom resource creation, update and deletion', async (t) => {
  const unwanted = (data: Readonly<Record<string, string>> | undefined): boolean => data?.['key'] === 'unwanted'
  const respond = ({ operation, object, oldObject }: ReviewRequest): object => {
    const looked = operation === 'DELETE' ? oldObject : object
    return unwanted(looked.data) ? deny(`${operation} is denied`) : allowed
  }
  const server = await judged(t, respond, { rules: ruleFor(['tabs']) })
  await define(server)
  const create = await server.call(`POST ${tabs}`, { body: tab('a', { key: 'unwanted' }) })
  assert.match(create.object.message, /CREATE is denied/)
  await ok(server.call(`POST ${tabs}`, { body: tab('b') }))
  const update = await server.call(`PATCH ${tabs}/b`, { body: { data: { key: 'unwanted' } }, headers: merge })
  assert.match(update.object.message, /UPDATE is denied/)
  await ok(server.call(`DELETE ${tabs}/b`))
})

behaviour(area, 'AdmissionWebhook should deny crd creation', async (t) => {
  const server = await judged(t, () => deny('the crd contains unwanted label'), {
    rules: ruleFor(['customresourcedefinitions'], ['CREATE']),
  })
  await assert.rejects(define(server), /the crd contains unwanted label/)
})

behaviour(area, 'AdmissionWebhook should honor timeout', async (t) => {
  const extension = await httpsExtension(t, () => new Promise(() => undefined))
  const server = await webhookCluster(t)
  await register(server, trusted(extension), [{ timeoutSeconds: 1 }])
  const late = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.match(late.object.message, /context deadline exceeded/)
  const path = pathOf('Validating')
  const { object } = await ok(server.call(`GET ${path}/hook`))
  const [webhook] = (object as unknown as { webhooks: object[] }).webhooks
  const webhooks = [{ ...webhook, failurePolicy: 'Ignore' }]
  await ok(server.call(`PATCH ${path}/hook`, { body: { webhooks }, headers: merge }))
  await seen(server, path)
  await ok(server.call(`POST ${collection}`, { body: configMap('a') }))
})

behaviour(area, 'AdmissionWebhook should include webhook resources in discovery documents', async (t) => {
  const server = await webhookCluster(t)
  const text = JSON.stringify((await ok(server.call(`GET ${root}`))).object)
  for (const kind of kinds) assert.ok(text.includes(`"name":"${kind.toLowerCase()}webhookconfigurations"`))
})

const addData = (key: string, value: string): object => patchOf({ op: 'add', path: `/data/${key}`, value })

/** Two webhooks, the second of which acts on what the first did. */
async function twoStages(t: TestContext, resources: readonly string[]): Promise<TestServer> {
  const extension = await httpsExtension(
    t,
    reviewing(({ object }, { path }) => {
      if (path.startsWith('/1')) return object.data?.['start'] === undefined ? allowed : addData('stage-1', 'yes')
      return object.data?.['stage-1'] === undefined ? allowed : addData('stage-2', 'yes')
    }),
  )
  const server = await webhookCluster(t)
  const rules = ruleFor(resources, ['CREATE', 'UPDATE'])
  await register(server, trusted(extension, '/1'), [{ kind: 'Mutating', name: 'a1.w.example', rules }])
  await register(server, trusted(extension, '/2'), [{ kind: 'Mutating', name: 'a2.w.example', rules }])
  return server
}

const staged = { start: 'yes', 'stage-1': 'yes', 'stage-2': 'yes' }

behaviour(area, 'AdmissionWebhook should mutate configmap', async (t) => {
  const server = await twoStages(t, ['configmaps'])
  const made = await ok(server.call(`POST ${collection}`, { body: configMap('a', { data: { start: 'yes' } }) }))
  assert.deepEqual(made.object.data, staged)
})

behaviour(area, 'AdmissionWebhook should mutate custom resource', async (t) => {
  const server = await twoStages(t, ['tabs'])
  await define(server)
  const made = await ok(server.call(`POST ${tabs}`, { body: tab('a', { start: 'yes' }) }))
  assert.deepEqual(made.object.data, staged)
})

behaviour(area, 'AdmissionWebhook should mutate custom resource with different stored version', async (t) => {
  const server = await twoStages(t, ['tabs'])
  await define(server, ['v1', 'v2'])
  await ok(server.call(`POST ${tabs}`, { body: tab('a') }))
  const { spec } = (await ok(server.call(`GET ${definitions}/tabs.w.example`))).object
  const versions = (spec['versions'] as { name: string }[]).map((each) => ({ ...each, storage: each.name === 'v2' }))
  await ok(server.call(`PATCH ${definitions}/tabs.w.example`, { body: { spec: { versions } }, headers: merge }))
  await seen(server, definitions)
  const changed = await ok(server.call(`PATCH ${tabs}/a`, { body: { data: { start: 'yes' } }, headers: merge }))
  assert.deepEqual(changed.object.data, staged)
})

behaviour(area, 'AdmissionWebhook should mutate custom resource with pruning', async (t) => {
  const server = await twoStages(t, ['tabs'])
  const text = { type: 'string' }
  await define(server, ['v1'], { data: { type: 'object', properties: { start: text, 'stage-1': text } } })
  const made = await ok(server.call(`POST ${tabs}`, { body: tab('a', { start: 'yes' }) }))
  assert.deepEqual(made.object.data, { start: 'yes', 'stage-1': 'yes' })
})

behaviour(area, "AdmissionWebhook should mutate everything except 'skip-me' configmaps", async (t) => {
  const hook: Hook = {
    kind: 'Mutating',
    rules: ruleFor(['configmaps'], ['CREATE']),
    matchConditions: [{ name: 'skip', expression: "object.metadata.name != 'skip-me'" }],
  }
  const server = await judged(t, () => addData('by', 'webhook'), hook)
  const make = async (name: string): Promise<object> =>
    (await ok(server.call(`POST ${collection}`, { body: configMap(name, { data: { a: 'b' } }) }))).object.data
  assert.deepEqual(await make('skip-me'), { a: 'b' })
  assert.deepEqual(await make('other'), { a: 'b', by: 'webhook' })
})

behaviour(area, 'AdmissionWebhook should mutate pod and apply defaults after mutation', async (t) => {
  const added = { op: 'add', path: '/spec/initContainers', value: [{ name: 'added', image: 'i', resources: {} }] }
  const server = await judged(t, () => patchOf(added), { kind: 'Mutating', rules: ruleFor(['pods'], ['CREATE']) })
  const { spec } = (await ok(server.call(`POST ${pods}`, { body: pod('p') }))).object
  const [init] = spec['initContainers'] as Record<string, unknown>[]
  assert.deepEqual(
    [init?.['terminationMessagePolicy'], init?.['terminationMessagePath']],
    ['File', '/dev/termination-log'],
  )
})

behaviour(
  area,
  'AdmissionWebhook should not be able to mutate or prevent deletion of webhook configuration objects',
  async (t) => {
    const everything = ruleFor(['*/*'])
    const server = await judged(t, () => deny('never'), { rules: everything })
    const label = { op: 'add', path: '/metadata/labels', value: { changed: 'yes' } }
    const extension = await httpsExtension(
      t,
      reviewing(() => patchOf(label)),
    )
    await register(server, trusted(extension), [{ kind: 'Mutating', name: 'm.w.example', rules: everything }])
    for (const [kind, name] of [
      ['Validating', 'hook'],
      ['Mutating', 'm'],
    ] as const) {
      assert.equal((await ok(server.call(`GET ${pathOf(kind)}/${name}`))).object.metadata.labels, undefined)
      await ok(server.call(`DELETE ${pathOf(kind)}/${name}`))
    }
  },
)

behaviour(area, 'AdmissionWebhook should unconditionally reject operations on fail closed webhook', async (t) => {
  const server = await webhookCluster(t)
  const service = { namespace: 'default', name: 'nobody', path: '/configmaps' }
  await register(server, { service }, [{ failurePolicy: 'Fail', rules: ruleFor(['configmaps'], ['CREATE']) }])
  const refused = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.equal(refused.code, 500)
  assert.match(refused.object.message, /failed calling webhook "hook\.example\.com"/)
})
