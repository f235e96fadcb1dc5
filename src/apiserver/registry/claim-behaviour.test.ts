import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import { testServer, type TestServer } from '../server.case.ts'

let server: TestServer
/** `verb resource/subresource name`: what users beside the administrator may do on claims. */
let allowed: ReadonlySet<string>

const authorizer: Authorizer = {
  name: 'Test',
  authorize: ({ user, verb, resource, subresource, name }) => {
    const isFree = user.name === 'admin' || subresource === 'status'
    const isAllowed = isFree || allowed.has(`${verb} ${resource}/${subresource} ${name}`.trim())
    return { decision: isAllowed ? 'allow' : 'noOpinion', reason: '' }
  },
}

const claims = '/apis/resource.k8s.io/v1/namespaces/shop/resourceclaims'

beforeEach(async () => {
  allowed = new Set()
  server = await testServer({ authorizers: () => [authorizer] })
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'shop' } } })
  await server.call(`POST ${claims}`, { body: { metadata: { name: 'c' }, ...spec() } })
})
afterEach(() => server.close())

function spec(exactly: object = {}) {
  return { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', ...exactly } }] } } }
}

const nodeSelector = {
  nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
}
const results = [{ request: 'r', driver: 'd.e', pool: 'p', device: 'a' }]
const allocation = { devices: { results }, nodeSelector }

function patchStatus(status: object, user: UserInfo) {
  const headers = { 'content-type': 'application/merge-patch+json' }
  return server.call(`PATCH ${claims}/c/status`, { body: { status }, headers, user })
}

const admin: UserInfo = { name: 'admin', groups: [] }

test('who asks for administrators access needs a namespace that is marked for it', async () => {
  const body = { metadata: { name: 'x' }, ...spec({ adminAccess: true }) }
  const { code, object } = await server.call(`POST ${claims}`, { body })
  assert.equal(code, 422)
  const label = '`resource.kubernetes.io/admin-access: true` label on the containing namespace'
  const why = `spec.devices.requests[0].adminAccess: Forbidden: admin access to devices requires the ${label}`
  assert.match(object.message, new RegExp(`"x" is invalid: ${why.replaceAll(/[[\].]/g, '\\$&')}$`))
  const template = { metadata: { name: 'x' }, spec: spec({ adminAccess: true }) }
  const templates = claims.replace('resourceclaims', 'resourceclaimtemplates')
  assert.equal((await server.call(`POST ${templates}`, { body: template })).code, 422)
  const forAll = { devices: { results: [{ ...results[0], adminAccess: true }] } }
  assert.equal((await patchStatus({ allocation: forAll }, admin)).code, 422)
  const headers = { 'content-type': 'application/merge-patch+json' }
  const labels = { 'resource.kubernetes.io/admin-access': 'true' }
  await server.call('PATCH /api/v1/namespaces/shop', { body: { metadata: { labels } }, headers })
  assert.equal((await server.call(`POST ${claims}`, { body })).code, 201)
})

test('only who may bind claims writes what they have and for whom', async () => {
  const eve: UserInfo = { name: 'eve', groups: [] }
  const { code, object } = await patchStatus({ allocation }, eve)
  assert.equal(code, 422)
  assert.match(
    object.message,
    /status: Forbidden: changing status\.allocation or status\.reservedFor requires resource="resourceclaims\/binding", verb="patch" permission: resourceclaims\.resource\.k8s\.io is forbidden: User "eve" cannot patch resource "resourceclaims\/binding" in API group "resource\.k8s\.io" at the cluster scope$/,
  )
  allowed = new Set(['patch resourceclaims/binding'])
  assert.equal((await patchStatus({ allocation }, eve)).code, 200)
})

test('a driver speaks of its own devices, and one on a node of what that node has', async () => {
  await patchStatus({ allocation }, admin)
  const devices = [{ driver: 'd.e', pool: 'p', device: 'a', networkData: { interfaceName: 'eth1' } }]
  const on = (node: string): UserInfo => ({
    ...{ name: 'system:serviceaccount:drivers:d', groups: [] },
    extra: { 'authentication.kubernetes.io/node-name': [node] },
  })
  const { code, object } = await patchStatus({ devices }, on('n2'))
  assert.equal(code, 422)
  assert.match(object.message, /requires resource="resourceclaims\/driver", verb="\[arbitrary-node:patch\]" permission/)
  allowed = new Set(['associated-node:patch resourceclaims/driver d.e'])
  assert.equal((await patchStatus({ devices }, on('n2'))).code, 422)
  assert.equal((await patchStatus({ devices }, on('n1'))).code, 200)
  allowed = new Set(['arbitrary-node:patch resourceclaims/driver d.e'])
  assert.equal((await patchStatus({ devices: null }, on('n2'))).code, 200)
  allowed = new Set(['patch resourceclaims/binding'])
  await patchStatus({ devices }, admin)
  assert.equal((await patchStatus({ devices: null }, on('n1'))).code, 422)
  assert.equal((await patchStatus({ allocation: null }, on('n1'))).code, 200)
})

test('a taint of a device counts from the update that sets it', async () => {
  const path = '/apis/resource.k8s.io/v1/resourceslices'
  const pool = { name: 'p', generation: 1, resourceSliceCount: 1 }
  const slice = (device: object) => ({ driver: 'd.e', nodeName: 'n', pool, devices: [{ name: 'a', ...device }] })
  await server.call(`POST ${path}`, { body: { metadata: { name: 's' }, spec: slice({}) } })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const body = { spec: slice({ taints: [{ key: 'k', effect: 'NoExecute' }] }) }
  const { object } = await server.call(`PATCH ${path}/s`, { body, headers })
  const [device] = object.spec['devices'] as readonly { taints: readonly { timeAdded: string }[] }[]
  assert.equal(device?.taints[0]?.timeAdded, object.metadata.creationTimestamp)
})
