import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { testServer, type TestServer } from '../../server.case.ts'
import { AddressRange } from './address-range.ts'
import { pickFree } from './pick-free.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'

test('a range hands out neither its network nor its broadcast address', () => {
  const range = new AddressRange('10.0.0.0/29')
  assert.deepEqual([range.size, range.at(0), range.at(5)], [6, '10.0.0.1', '10.0.0.6'])
  assert.deepEqual(
    ['10.0.0.0', '10.0.0.7', '10.0.0.6', 'x'].map((text) => range.canonical(text)),
    [undefined, undefined, '10.0.0.6', undefined],
  )
  const v6 = new AddressRange('fd00::/112')
  assert.deepEqual([v6.family, v6.at(0), v6.canonical('fd00:0::1')], ['IPv6', 'fd00::1', 'fd00::1'])
})

test('the lower band is used only when the upper one is full', () => {
  const taken = new Set<number>()
  const slots = { size: 20, dynamicStart: 16, isTaken: (slot: number) => taken.has(slot) }
  const picked: number[] = []
  for (let slot = pickFree(slots, seededRandom(1)); slot !== undefined; slot = pickFree(slots, seededRandom(1))) {
    taken.add(slot)
    picked.push(slot)
  }
  assert.equal(picked.length, 20)
  assert.ok(picked.slice(0, 4).every((slot) => slot >= 16))
})

interface ServiceSpec {
  readonly clusterIP: string
  readonly clusterIPs: readonly string[]
  readonly type: string
  readonly ports: readonly { readonly nodePort?: number }[]
}

async function withServices(run: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await testServer({ serviceCidrs: ['10.0.0.0/29'], nodePortRange: { from: 30_000, to: 30_001 } })
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  await run(server)
  await server.close()
}

const path = '/api/v1/namespaces/default/services'
const service = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
})

test('every service gets an address of its own, until the range is full', () =>
  withServices(async ({ call }) => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const answers = await Promise.all(names.map((name) => call(`POST ${path}`, { body: service(name) })))
    const addresses = answers.map(({ object }) => (object.spec as unknown as ServiceSpec).clusterIP)
    assert.equal(new Set(addresses).size, 6)
    const full = await call(`POST ${path}`, { body: service('g') })
    assert.equal(full.object.message, 'Internal error occurred: failed to allocate a serviceIP: range is full')
    await call(`DELETE ${path}/a`)
    assert.equal((await call(`POST ${path}`, { body: service('g') })).code, 201)
  }))

test('a wanted address is given once; a refused service gives back what it took', () =>
  withServices(async ({ call }) => {
    assert.equal((await call(`POST ${path}`, { body: service('a', { clusterIP: '10.0.0.3' }) })).code, 201)
    const taken = await call(`POST ${path}`, { body: service('b', { clusterIP: '10.0.0.3' }) })
    assert.match(taken.object.message, /failed to allocate IP 10\.0\.0\.3: provided IP is already allocated/)
    const outside = await call(`POST ${path}`, { body: service('b', { clusterIP: '10.9.9.9' }) })
    assert.match(outside.object.message, /the provided network does not match the current range/)
    const invalid = await call(`POST ${path}`, {
      body: service('b', { clusterIP: '10.0.0.4', ports: [{ port: 99_999 }] }),
    })
    assert.equal(invalid.code, 422)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await call(`POST ${path}`, { body: service('b', { clusterIP: '10.0.0.4' }) })).code, 201)
  }))

test('node ports come and go with the type, and survive an update that does not mention them', () =>
  withServices(async ({ call }) => {
    const created = await call(`POST ${path}`, { body: service('a', { type: 'NodePort' }) })
    const before = created.object.spec as unknown as ServiceSpec
    const updated = await call(`PUT ${path}/a`, { body: service('a', { type: 'NodePort' }) })
    assert.deepEqual((updated.object.spec as unknown as ServiceSpec).ports, before.ports)
    assert.equal((updated.object.spec as unknown as ServiceSpec).clusterIP, before.clusterIP)
    const plain = await call(`PUT ${path}/a`, {
      body: { ...updated.object, spec: { ...updated.object.spec, type: 'ClusterIP' } },
    })
    assert.equal((plain.object.spec as unknown as ServiceSpec).ports[0]?.nodePort, undefined)
    const wanted = service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 31_000 }] })
    const refused = await call(`POST ${path}`, { body: wanted })
    assert.match(
      refused.object.message,
      /provided port is not in the valid range\. The range of valid ports is 30000-30001/,
    )
  }))

test('headless and external services have no address', () =>
  withServices(async ({ call }) => {
    const headless = await call(`POST ${path}`, { body: service('a', { clusterIP: 'None' }) })
    assert.deepEqual((headless.object.spec as unknown as ServiceSpec).clusterIPs, ['None'])
    const external = await call(`POST ${path}`, {
      body: service('b', { type: 'ExternalName', externalName: 'x.org', ports: [] }),
    })
    assert.equal((external.object.spec as unknown as ServiceSpec).clusterIP, undefined)
  }))

test('a write of the status leaves the addresses alone', () =>
  withServices(async ({ call }) => {
    const { object } = await call(`POST ${path}`, { body: service('a', { type: 'LoadBalancer' }) })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const body = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    const patched = await call(`PATCH ${path}/a/status`, { body, headers })
    assert.equal(patched.code, 200, JSON.stringify(patched.object))
    assert.deepEqual(patched.object.spec, object.spec)
  }))

const addressPath = '/apis/networking.k8s.io/v1/ipaddresses'

test('an address is an object that lives with its service', () =>
  withServices(async ({ call }) => {
    const { object } = await call(`POST ${path}`, { body: service('a') })
    const { clusterIP } = object.spec as unknown as ServiceSpec
    const address = await call(`GET ${addressPath}/${clusterIP}`)
    assert.deepEqual(address.object.metadata.labels, {
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    })
    assert.deepEqual(address.object.spec, { parentRef: { resource: 'services', namespace: 'default', name: 'a' } })
    const external = { metadata: { name: 'a' }, spec: { type: 'ExternalName', externalName: 'x.org' } }
    assert.equal((await call(`PUT ${path}/a`, { body: external })).code, 200)
    assert.equal((await call(`GET ${addressPath}/${clusterIP}`)).code, 404)
    assert.equal((await call(`POST ${path}`, { body: service('b', { clusterIP }) })).code, 201)
    await call(`DELETE ${path}/b`)
    assert.equal((await call(`GET ${addressPath}/${clusterIP}`)).code, 404)
  }))

test('an address that somebody made by hand is not given out', () =>
  withServices(async ({ call }) => {
    const body = { metadata: { name: '10.0.0.2' }, spec: { parentRef: { resource: 'things', name: 't' } } }
    assert.equal((await call(`POST ${addressPath}`, { body })).code, 201)
    const refused = await call(`POST ${path}`, { body: service('a', { clusterIP: '10.0.0.2' }) })
    assert.match(refused.object.message, /failed to allocate IP 10\.0\.0\.2: provided IP is already allocated/)
  }))

test('a range that is ready extends the cluster, one that is not does not', () =>
  withServices(async ({ call }) => {
    const cidrs = '/apis/networking.k8s.io/v1/servicecidrs'
    await call(`POST ${cidrs}`, { body: { metadata: { name: 'more' }, spec: { cidrs: ['10.1.0.0/29'] } } })
    const wish = service('a', { clusterIP: '10.1.0.3' })
    const early = await call(`POST ${path}`, { body: wish })
    assert.match(early.object.message, /the provided network does not match the current range$/)
    const ready = { type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2024-01-01T00:00:00Z' }
    const headers = { 'content-type': 'application/merge-patch+json' }
    await call(`PATCH ${cidrs}/more/status`, { body: { status: { conditions: [ready] } }, headers })
    assert.equal((await call(`POST ${path}`, { body: wish })).code, 201)
  }))

test('two servers never give out one address or one port twice', async () => {
  const store = memoryStore()
  const options = { serviceCidrs: ['10.0.0.0/28'], nodePortRange: { from: 30_000, to: 30_009 }, store }
  const servers = [await testServer(options), await testServer(options)]
  await servers[0]?.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  const wishes = Array.from({ length: 10 }, (_, index) => service(`s${index}`, { type: 'NodePort' }))
  const answers = await Promise.all(
    wishes.map((body, index) => (servers[index % 2] as TestServer).call(`POST ${path}`, { body })),
  )
  assert.deepEqual(
    answers.map(({ code }) => code),
    wishes.map(() => 201),
  )
  const specs = answers.map(({ object }) => object.spec as unknown as ServiceSpec)
  assert.equal(new Set(specs.map(({ clusterIP }) => clusterIP)).size, 10)
  assert.equal(new Set(specs.map(({ ports }) => ports[0]?.nodePort)).size, 10)
  for (const server of servers) await server.close()
})

test('a service may have more node ports than a commit has conditions', async () => {
  const server = await testServer({ nodePortRange: { from: 30_000, to: 30_999 } })
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  const ports = Array.from({ length: 100 }, (_, index) => ({ name: `p${index}`, port: index + 1 }))
  const created = await server.call(`POST ${path}`, { body: service('many', { type: 'NodePort', ports }) })
  assert.equal(created.code, 201, created.text)
  assert.equal((await server.call(`DELETE ${path}/many`)).code, 200)
  await server.close()
})
