import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, testServer, type TestServer } from './server.case.ts'

const maps = '/api/v1/namespaces/default/configmaps'

async function withServer(run: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await testServer()
  try {
    await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
    await run(server)
  } finally {
    await server.close()
  }
}

test('an object is created, read, listed, replaced and deleted', () =>
  withServer(async ({ call }) => {
    const created = await call(`POST ${maps}`, { body: configMap('a', { data: { k: 'v' } }) })
    assert.equal(created.code, 201)
    assert.equal(created.object.metadata.creationTimestamp, '2026-01-01T00:00:00Z')
    assert.match(created.object.metadata.uid, /^[0-9a-f-]{36}$/)
    assert.equal(Object.isFrozen(created.object.data), true)
    const read = await call(`GET ${maps}/a`)
    assert.equal(read.object, created.object)
    const listed = await call(`GET ${maps}`)
    assert.equal(listed.object.items[0], created.object)
    assert.equal(listed.object.metadata.resourceVersion, created.object.metadata.resourceVersion)
    const replaced = await call(`PUT ${maps}/a`, { body: { ...created.object, data: { k: 'w' } } })
    assert.deepEqual(replaced.object.data, { k: 'w' })
    assert.equal(replaced.object.metadata.uid, created.object.metadata.uid)
    assert.equal((await call(`DELETE ${maps}/a`)).object.status, 'Success')
    assert.equal((await call(`GET ${maps}/a`)).object.message, 'configmaps "a" not found')
  }))

test('a write that changes nothing keeps the resourceVersion; a stale one is a conflict', () =>
  withServer(async ({ call }) => {
    const { object } = await call(`POST ${maps}`, { body: configMap('a', { data: { k: 'v' } }) })
    const same = await call(`PUT ${maps}/a`, { body: object })
    assert.equal(same.object.metadata.resourceVersion, object.metadata.resourceVersion)
    await call(`PUT ${maps}/a`, { body: { ...object, data: { k: 'w' } } })
    const stale = await call(`PUT ${maps}/a`, { body: { ...object, data: { k: 'x' } } })
    assert.equal(stale.code, 409)
    assert.match(stale.object.message, /the object has been modified/)
  }))

test('writers of one object who do not name a version all get through', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('a') })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patches = [1, 2, 3, 4].map((n) => call(`PATCH ${maps}/a`, { headers, body: { data: { [`k${n}`]: 'v' } } }))
    assert.deepEqual(
      (await Promise.all(patches)).map(({ code }) => code),
      [200, 200, 200, 200],
    )
    assert.deepEqual(Object.keys((await call(`GET ${maps}/a`)).object.data).sort(), ['k1', 'k2', 'k3', 'k4'])
  }))

test('finalizers hold a deleted object until the last is taken away', () =>
  withServer(async ({ call }) => {
    const body = { ...configMap('a'), metadata: { name: 'a', finalizers: ['example.com/hold'] } }
    await call(`POST ${maps}`, { body })
    const marked = await call(`DELETE ${maps}/a`)
    assert.equal(marked.object.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
    const again = await call(`POST ${maps}`, { body })
    assert.equal(again.object.message, 'object is being deleted: configmaps "a" already exists')
    const headers = { 'content-type': 'application/merge-patch+json' }
    await call(`PATCH ${maps}/a`, { headers, body: { metadata: { finalizers: null } } })
    assert.equal((await call(`GET ${maps}/a`)).code, 404)
  }))

const pods = '/api/v1/namespaces/default/pods'
const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }

test('a pod on a node is given its grace period, which a second delete may only shorten', () =>
  withServer(async ({ call }) => {
    await call(`POST ${pods}`, { body: { ...pod, spec: { ...pod.spec, nodeName: 'n' } } })
    const graces: unknown[] = []
    for (const query of ['', 'gracePeriodSeconds=5', 'gracePeriodSeconds=50']) {
      graces.push((await call(`DELETE ${pods}/p`, { query })).object.metadata.deletionGracePeriodSeconds)
    }
    assert.deepEqual(graces, [30, 5, 5])
    assert.equal((await call(`DELETE ${pods}/p`, { query: 'gracePeriodSeconds=0' })).code, 200)
    assert.equal((await call(`GET ${pods}/p`)).code, 404)
  }))

test('a pod is bound once', () =>
  withServer(async ({ call }) => {
    await call(`POST ${pods}`, { body: pod })
    const body = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } }
    assert.equal((await call(`POST ${pods}/p/binding`, { body })).code, 201)
    const again = await call(`POST ${pods}/p/binding`, { body })
    assert.match(again.object.message, /pod p is already assigned to node "n1"/)
    const { spec, status } = (await call(`GET ${pods}/p`)).object
    assert.equal(spec['nodeName'], 'n1')
    assert.equal((status as { conditions: { type: string }[] }).conditions[0]?.type, 'PodScheduled')
  }))

test('scale changes the number of replicas and the generation', () =>
  withServer(async ({ call }) => {
    const path = '/apis/apps/v1/namespaces/default/deployments'
    const template = { metadata: { labels: { app: 'x' } }, spec: pod.spec }
    const body = { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template } }
    assert.equal((await call(`POST ${path}`, { body })).code, 201)
    const headers = { 'content-type': 'application/merge-patch+json' }
    const scaled = await call(`PATCH ${path}/d/scale`, { headers, body: { spec: { replicas: 4 } } })
    assert.deepEqual(scaled.object.spec, { replicas: 4 })
    assert.deepEqual(scaled.object.status, { replicas: 0, selector: 'app=x' })
    const { metadata, spec } = (await call(`GET ${path}/d`)).object
    assert.deepEqual([metadata.generation, spec['replicas']], [2, 4])
  }))

test('an applied scale meets the owners of the replicas', () =>
  withServer(async ({ call }) => {
    const path = '/apis/apps/v1/namespaces/default/deployments'
    const template = { metadata: { labels: { app: 'x' } }, spec: pod.spec }
    const body = { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template } }
    await call(`POST ${path}`, { body })
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 3 } }
    const refused = await call(`PATCH ${path}/d/scale`, { headers, body: scale, query: 'fieldManager=hpa' })
    const why = 'Apply failed with 1 conflict: conflict with "test" using autoscaling/v1: .spec.replicas'
    assert.equal(refused.object.message, why)
    await call(`PATCH ${path}/d/scale`, { headers, body: scale, query: 'fieldManager=hpa&force=true' })
    const { metadata, spec } = (await call(`GET ${path}/d`)).object
    const managers = metadata.managedFields?.map(({ manager, operation, subresource }) => [
      manager,
      operation,
      subresource,
    ])
    assert.deepEqual(managers, [
      ['hpa', 'Apply', 'scale'],
      ['test', 'Update', undefined],
    ])
    assert.equal(spec['replicas'], 3)
  }))

test('a dry run answers as if, and stores nothing', () =>
  withServer(async ({ call, store }) => {
    const before = store.revision()
    const { code, object } = await call(`POST ${maps}`, { body: configMap('a'), query: 'dryRun=All' })
    assert.deepEqual([code, object.metadata.name, store.revision()], [201, 'a', before])
  }))

test('a collection is deleted by selector, page after page of a list is one state', () =>
  withServer(async ({ call }) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const labels = { parity: name === 'a' || name === 'c' ? 'odd' : 'even' }
      await call(`POST ${maps}`, { body: { ...configMap(name), metadata: { name, labels } } })
    }
    const first = await call(`GET ${maps}`, { query: 'limit=2' })
    const { continue: token, remainingItemCount } = first.object.metadata as {
      continue?: string
      remainingItemCount?: number
    }
    assert.equal(remainingItemCount, 2)
    await call(`DELETE ${maps}`, { query: 'labelSelector=parity=odd' })
    const rest = await call(`GET ${maps}`, { query: `limit=2&continue=${token}` })
    assert.deepEqual(
      rest.object.items.map((item) => item.metadata.name),
      ['c', 'd'],
    )
    assert.equal(rest.object.metadata.resourceVersion, first.object.metadata.resourceVersion)
    assert.deepEqual(
      (await call(`GET ${maps}`)).object.items.map((item) => item.metadata.name),
      ['b', 'd'],
    )
  }))

test('a watch shows changes through its selector, and begins where it is asked to', () =>
  withServer(async ({ call, watch }) => {
    const { object } = await call(`POST ${maps}`, {
      body: { ...configMap('a'), metadata: { name: 'a', labels: { on: 'yes' } } },
    })
    const all = await watch(maps, `resourceVersion=${object.metadata.resourceVersion}`)
    const some = await watch(maps, 'labelSelector=on%3Dyes')
    const headers = { 'content-type': 'application/merge-patch+json' }
    await call(`PATCH ${maps}/a`, { headers, body: { metadata: { labels: { on: 'no' } } } })
    await call(`PATCH ${maps}/a`, { headers, body: { metadata: { labels: { on: 'yes' } } } })
    await call(`DELETE ${maps}/a`)
    assert.deepEqual(await all.take(3), ['MODIFIED a', 'MODIFIED a', 'DELETED a'])
    assert.deepEqual(await some.take(4), ['ADDED a', 'DELETED a', 'ADDED a', 'DELETED a'])
    all.stop()
    assert.deepEqual(await all.take(1), ['end'])
  }))

test('initial events end with a bookmark that says so; a watch ends at its timeout', () =>
  withServer(async ({ call, watch, clock }) => {
    await call(`POST ${maps}`, { body: configMap('a') })
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=10'
    const { events } = await watch(maps, query)
    assert.equal((await events.next()).value.type, 'ADDED')
    const { metadata } = (await events.next()).value.object
    assert.deepEqual(metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
    await clock.advance(10_000)
    assert.equal((await events.next()).value.type, 'BOOKMARK')
    assert.equal((await events.next()).done, true)
  }))

test("paths, methods and media types that are not served are refused in upstream's words", () =>
  withServer(async ({ call }) => {
    const refusals: readonly (readonly [string, number, string])[] = [
      ['GET /nothing', 404, ''],
      ['GET /apis/no.such.group/v1/things', 404, ''],
      ['GET /apis/apps/v9/deployments', 404, 'the server could not find the requested resource'],
      ['GET /api/v1/namespaces/default/bogus', 404, 'the server could not find the requested resource'],
      [
        'PUT /api/v1/namespaces/default/configmaps',
        405,
        'the server does not allow this method on the requested resource',
      ],
      ['DELETE /api/v1/configmaps', 405, 'the server does not allow this method on the requested resource'],
      ['POST /api/v1/watch/configmaps', 405, 'the server does not allow this method on the requested resource'],
      [
        'DELETE /api/v1/namespaces/default/bindings',
        405,
        'the server does not allow this method on the requested resource',
      ],
    ]
    for (const [line, code, message] of refusals) {
      const answer = await call(line)
      assert.deepEqual([line, answer.code, answer.object.message ?? ''], [line, code, message])
    }
    const picky = await call(`GET ${maps}`, { headers: { accept: 'text/html' } })
    assert.equal(picky.object.reason, 'NotAcceptable')
    const odd = await call(`POST ${maps}`, { body: Buffer.from('x'), headers: { 'content-type': 'text/plain' } })
    assert.equal(odd.object.reason, 'UnsupportedMediaType')
  }))

test('what goes wrong inside is a 500, and the server lives on', async () => {
  const boom = {
    name: 'boom',
    authenticate: () => {
      throw new Error('boom')
    },
  }
  const { call, close } = await testServer({ authenticators: () => [boom] })
  const answer = await call('GET /api/v1/pods')
  assert.deepEqual([answer.code, answer.object.message], [500, 'Internal error occurred: boom'])
  await close()
})

test('nobody gets through whom no authorizer allows, and everybody is told why', async () => {
  const quiet = { name: 'quiet', authorize: () => ({ decision: 'noOpinion', reason: '' }) as const }
  const { call, close } = await testServer({ authorizers: () => [quiet] })
  const user = { name: 'eve', groups: [] }
  const list = await call('GET /apis/apps/v1/namespaces/default/deployments', { user })
  assert.equal(
    list.object.message,
    'deployments.apps is forbidden: User "eve" cannot list resource "deployments" in API group "apps" in the namespace "default"',
  )
  const path = await call('GET /metrics', { user })
  assert.equal(path.object.message, 'forbidden: User "eve" cannot get path "/metrics"')
  await close()
})

test('a list of one revision can be read as a table, in pages of metadata, and as protobuf names', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('a', { data: { k: 'v', l: 'w' } }) })
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
    const table = (await call(`GET ${maps}`, { headers: { accept } })).object as unknown as {
      rows: { cells: unknown[] }[]
    }
    assert.deepEqual(table.rows[0]?.cells, ['a', 2, '0s'])
    const metadataOnly = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
    const { object } = await call(`GET ${maps}`, { headers: { accept: metadataOnly } })
    assert.deepEqual(Object.keys(object.items[0] ?? {}), ['kind', 'apiVersion', 'metadata'])
  }))

test('an apply that names a uid creates nothing', () =>
  withServer(async ({ call }) => {
    const type = { 'content-type': 'application/apply-patch+yaml' }
    const body = configMap('new', { metadata: { name: 'new', uid: '11111111-2222-4333-8444-555555555555' } })
    const answer = await call(`PATCH ${maps}/new`, { body, headers: type, query: 'fieldManager=m' })
    assert.deepEqual([answer.code, answer.object.reason], [409, 'Conflict'])
    assert.match(answer.object.message, /uid mismatch: the provided object specified uid 11111111-/)
    assert.equal((await call(`GET ${maps}/new`)).code, 404)
  }))

test('patches that leave no object, or none with metadata, are refused or mended', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('p') })
    const patch = (type: string, body: unknown) =>
      call(`PATCH ${maps}/p`, { body, headers: { 'content-type': `application/${type}+json` } })
    const nothing = await patch('json-patch', [{ op: 'add', path: '', value: null }])
    assert.deepEqual([nothing.code, nothing.object.reason], [422, 'Invalid'])
    assert.deepEqual(nothing.object.details, {})
    const nameless = 'the name of the object (p based on URL) was undeterminable: name must be provided'
    const refusals = [
      [await patch('merge-patch', { metadata: null }), 400, nameless],
      [await patch('merge-patch', Buffer.from('null')), 400, 'Invalid JSON Patch'],
      [await call(`PUT ${maps}/p`, { body: {} }), 400, nameless],
      [await patch('other', {}), 415, '415: Unsupported Media Type'],
    ] as const
    for (const [{ object }, code, message] of refusals) {
      assert.deepEqual([object.code, object.message], [code, message])
    }
    assert.equal((await patch('strategic-merge-patch', Buffer.from('null'))).code, 200)
  }))

test('a body of null says nothing, like an empty object', () =>
  withServer(async ({ call }) => {
    const answer = await call(`POST ${maps}`, {
      body: Buffer.from('null'),
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual([answer.code, answer.object.reason], [422, 'Invalid'])
  }))

test('what a read asks for must be a revision that comes', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('r') })
    const unreadable = 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'
    for (const query of ['resourceVersion=abc', 'resourceVersion=abc&watch=1']) {
      const { object } = await call(`GET ${maps}${query.endsWith('1') ? '' : '/r'}`, { query })
      assert.deepEqual([object.code, object.reason, object.message], [500, undefined, unreadable])
    }
    assert.equal((await call(`GET ${maps}/r`, { query: 'resourceVersion=0' })).code, 200)
  }))

test('options of a deletion that cannot be read are refused without ado', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('o') })
    const rows = [
      ['{', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
      ['{"dryRun":"All"}', 'json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string'],
    ] as const
    for (const [text, message] of rows) {
      const headers = { 'content-type': 'application/json' }
      const { object } = await call(`DELETE ${maps}/o`, { body: Buffer.from(text), headers })
      assert.deepEqual([object.code, object.message], [400, message])
    }
  }))

test('lists of what is served come in the forms that the client takes', () =>
  withServer(async ({ call }) => {
    const get = (path: string, accept: string): ReturnType<typeof call> => call(`GET ${path}`, { headers: { accept } })
    const { headers } = await get('/apis/apps', 'application/yaml')
    assert.equal(headers['content-type'], 'application/yaml')
    const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
    const { object: group } = await get('/apis/apps', 'text/html')
    assert.deepEqual([group.code, group.message], [406, `only the following media types are accepted: ${accepted}`])
    const { object: version } = await get('/api/v1', 'text/html')
    assert.equal(version.message, `406: Not Acceptable\n\nAvailable representations: ${accepted}`)
    assert.equal((await get('/apis', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')).code, 200)
  }))

test('a Scale is refused for what any object is refused for', () =>
  withServer(async ({ call }) => {
    const path = '/api/v1/namespaces/default/replicationcontrollers'
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    await call(`POST ${path}`, {
      body: { metadata: { name: 'rc' }, spec: { replicas: 0, selector: { a: 'b' }, template } },
    })
    const put = (metadata: object): ReturnType<typeof call> =>
      call(`PUT ${path}/rc/scale`, { body: { metadata, spec: { replicas: 1 } } })
    const rows = [
      [await put({ name: 'x' }), 400, 'the name of the object (x) does not match the name on the URL (rc)'],
      [await put({}), 400, 'the name of the object (rc based on URL) was undeterminable: name must be provided'],
      [
        await put({ name: 'rc', namespace: 'x' }),
        400,
        'the namespace of the provided object does not match the namespace sent on the request',
      ],
    ] as const
    for (const [{ object }, code, message] of rows) assert.deepEqual([object.code, object.message], [code, message])
    const headers = { 'content-type': 'application/merge-patch+json' }
    const { object } = await call(`PATCH ${path}/rc/scale`, { body: { spec: { replicas: 'x' } }, headers })
    assert.equal(object.code, 422)
    assert.match(
      object.message,
      /json: cannot unmarshal string into Go struct field ScaleSpec\.spec\.replicas of type int32$/,
    )
  }))

test('one name is found in all namespaces', () =>
  withServer(async ({ call }) => {
    await call(`POST ${maps}`, { body: configMap('wanted') })
    await call(`POST ${maps}`, { body: configMap('other') })
    const { object } = await call('GET /api/v1/configmaps', { query: 'fieldSelector=metadata.name%3Dwanted' })
    assert.deepEqual(
      object.items.map(({ metadata }) => metadata.name),
      ['wanted'],
    )
  }))

test('aggregated discovery is answered once to who keeps it', () =>
  withServer(async ({ call }) => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const first = await call('GET /apis', { headers: { accept } })
    const etag = first.headers['etag'] ?? ''
    assert.match(etag, /^"[0-9A-F]{128}"$/)
    assert.equal((await call('GET /apis', { headers: { accept, 'if-none-match': etag } })).code, 304)
    assert.equal((await call('GET /apis', { headers: { accept, 'if-none-match': '"x"' } })).code, 200)
  }))
