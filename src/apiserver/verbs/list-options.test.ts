import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { configMap, testServer, type TestServer } from '../server.case.ts'

const maps = '/api/v1/namespaces/default/configmaps'
let testing: TestServer
let token = ''

before(async () => {
  testing = await testServer()
  await testing.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  for (const name of ['a', 'b', 'c', 'd']) await testing.call(`POST ${maps}`, { body: configMap(name) })
  const { object } = await testing.call(`GET ${maps}`, { query: 'limit=2' })
  token = (object.metadata as { continue?: string }).continue ?? ''
})

after(() => testing.close())

const tokenOf = (fields: unknown): string => Buffer.from(JSON.stringify(fields)).toString('base64url')
const match = 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: '
const unreadable = 'invalid continue token: continue key is not valid'

const refusals: readonly (readonly [query: string, code: number, message: string])[] = [
  [
    'resourceVersionMatch=Exact',
    422,
    `${match}Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
  ],
  [
    'resourceVersionMatch=Exact&resourceVersion=0',
    422,
    `${match}Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
  ],
  [
    'resourceVersionMatch=odd&resourceVersion=1',
    422,
    `${match}Unsupported value: "odd": supported values: "Exact", "NotOlderThan", ""`,
  ],
  [
    'sendInitialEvents=true',
    422,
    'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
  ],
  ['limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['limit=99999999999999999999', 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
  ['continue=%3D%3D', 400, `${unreadable}: illegal base64 data at input byte 0`],
  ['continue=abcde', 400, `${unreadable}: illegal base64 data at input byte 4`],
  [
    `continue=${tokenOf([])}`,
    400,
    `${unreadable}: json: cannot unmarshal array into Go value of type storage.continueToken`,
  ],
  [
    `continue=${tokenOf({ v: 'v2', rv: 1, start: 'a' })}`,
    400,
    `${unreadable}: server does not recognize this encoded version v2`,
  ],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', start: 'a' })}`,
    400,
    `${unreadable}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)`,
  ],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 1 })}`,
    400,
    `${unreadable}: encoded start key empty (version meta.k8s.io/v1)`,
  ],
  [`continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 1, start: '../x' })}`, 400, `${unreadable}: ../x`],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: '1', start: 'a' })}`,
    400,
    `${unreadable}: json: cannot unmarshal string into Go struct field continueToken.rv of type int64`,
  ],
  [
    `resourceVersion=5&continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 1, start: 'a' })}`,
    400,
    'specifying resource version is not allowed when using continue',
  ],
]

for (const [query, code, message] of refusals) {
  test(`a list with ${query} is refused`, async () => {
    const answer = await testing.call(`GET ${maps}`, { query })
    assert.deepEqual([answer.code, answer.object.message], [code, message])
  })
}

const watchRefusals: readonly (readonly [query: string, message: string])[] = [
  [
    'sendInitialEvents=true&resourceVersionMatch=Exact',
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting ' +
      'resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
  ],
  [
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x',
    `${match}Forbidden: resourceVersionMatch is forbidden when continue is provided`,
  ],
]

for (const [query, message] of watchRefusals) {
  test(`a watch with ${query} is refused`, async () => {
    const answer = await testing.call(`GET ${maps}`, { query: `watch=1&${query}` })
    assert.deepEqual([answer.code, answer.object.message], [422, message])
  })
}

test('a limit below zero is none, and none counts for a list of whatever is at hand', async () => {
  for (const query of ['limit=-1', 'limit=2&resourceVersion=0']) {
    const { object } = await testing.call(`GET ${maps}`, { query })
    assert.deepEqual([object.items.length, (object.metadata as { continue?: string }).continue], [4, undefined])
  }
})

test('an expired continue token comes with one for the rest as it is now', async () => {
  await testing.call(`DELETE ${maps}/c`)
  await testing.call(`POST ${maps}`, { body: configMap('e') })
  await testing.store.compact(testing.store.revision())
  const expired = await testing.call(`GET ${maps}`, { query: `limit=2&continue=${token}` })
  assert.deepEqual([expired.code, expired.object.reason], [410, 'Expired'])
  const { continue: next = '' } = expired.object.metadata as { continue?: string }
  const rest = await testing.call(`GET ${maps}`, { query: `limit=2&continue=${next}` })
  assert.deepEqual(
    rest.object.items.map(({ metadata }) => metadata.name),
    ['d', 'e'],
  )
  const old = await testing.call(`GET ${maps}`, { query: 'resourceVersion=1&resourceVersionMatch=Exact' })
  assert.deepEqual([old.code, old.object.message], [410, 'The resourceVersion for the provided list is too old.'])
})

test('an object too large for the store is refused as the store of Kubernetes would', async () => {
  const data = { a: 'x'.repeat(1_000_000) }
  const spec = { containers: [{ name: 'c', image: 'x', command: ['x'.repeat(1_600_000)] }] }
  const template = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'big' }, template: { spec } }
  const large = await testing.call('POST /api/v1/namespaces/default/podtemplates', { body: template })
  assert.deepEqual([large.code, large.object.message], [500, 'etcdserver: request is too large'])
  assert.equal((await testing.call(`POST ${maps}`, { body: configMap('big', { data }) })).code, 201)
})
