import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { httpsExtensionDialer, type ExtensionDialer } from '#apiserver/aggregation/extension-dialer.ts'
import { loadOrCreatePki } from '#apiserver/certificates/pki.ts'
import { parseRequestInfo } from '#apiserver/request-info.ts'
import { testServer, type TestServer } from '#apiserver/server.case.ts'
import { systemClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { httpsExtension, type ExtensionCall, type HttpsExtension } from './https-extension.ts'

// A real extension API server on loopback, over TLS with the front proxy's certificate.

const registrations = '/apis/apiregistration.k8s.io/v1/apiservices'
const groupVersion = 'metrics.k8s.io/v1beta1'
const nodes = `/apis/${groupVersion}/nodes`
const podAddress = '10.1.2.3'
const rows = [{ name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] }]
const metrics = {
  kind: 'NodeMetricsList',
  apiVersion: groupVersion,
  metadata: {},
  items: [{ metadata: { name: 'n' }, usage: { cpu: '1' } }],
}

interface Cluster {
  readonly server: TestServer
  readonly extension: HttpsExtension
  readonly calls: ExtensionCall[]
  isAway: boolean
}

async function cluster(t: TestContext): Promise<Cluster> {
  const pki = loadOrCreatePki(undefined, { clock: systemClock, random: seededRandom(2), names: [], ips: [] })
  const calls: ExtensionCall[] = []
  const state = { isAway: false }
  const documents: Readonly<Record<string, object>> = {
    [`/apis/${groupVersion}`]: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: rows },
    '/openapi/v3': { paths: { [`apis/${groupVersion}`]: { serverRelativeURL: '/openapi/v3/x?hash=ABC' } } },
    [`/openapi/v3/apis/${groupVersion}`]: { openapi: '3.0.0', paths: { [nodes]: {} } },
    '/openapi/v2': { swagger: '2.0', paths: { [nodes]: {}, '/apis/other/': {} }, definitions: { NodeMetrics: {} } },
    [nodes]: metrics,
  }
  const extension = await httpsExtension(
    t,
    (call) => {
      calls.push(call)
      const [path = ''] = call.path.split('?')
      const body = state.isAway ? undefined : documents[path]
      return body === undefined ? { status: 404, body: { message: 'nothing here' } } : { body }
    },
    { names: ['metrics.kube-system.svc'], clientCa: pki.frontProxy.authority.certificate },
  )
  const dialer = httpsExtensionDialer(pki.frontProxy.client)
  const local: ExtensionDialer = {
    send: (target, request) => dialer.send(atLoopback(target), request),
    upgrade: (target, request) => dialer.upgrade(atLoopback(target), request),
    close: () => dialer.close(),
  }
  const server = await testServer({ extensions: local })
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'kube-system' } } })
  return Object.assign(state, { server, extension, calls })
}

/** No endpoint may be on loopback, where the server of this test is. */
function atLoopback<T extends { readonly host: string }>(target: T): T {
  assert.equal(target.host, podAddress)
  return { ...target, host: '127.0.0.1' }
}

async function addBackend({ server, extension }: Cluster): Promise<void> {
  const ports = [{ port: 443, protocol: 'TCP' }]
  const service = { metadata: { name: 'metrics' }, spec: { ports } }
  assert.equal((await server.call('POST /api/v1/namespaces/kube-system/services', { body: service })).code, 201)
  const slice = {
    metadata: { name: 'metrics-1', labels: { 'kubernetes.io/service-name': 'metrics' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [podAddress], conditions: { ready: true } }],
    ports: [{ name: '', port: extension.port, protocol: 'TCP' }],
  }
  const path = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices'
  const made = await server.call(`POST ${path}`, { body: slice })
  assert.equal(made.code, 201, made.object.message)
}

async function register({ server, extension }: Cluster, more: object = {}): Promise<void> {
  const spec = {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    service: { name: 'metrics', namespace: 'kube-system' },
    caBundle: extension.caBundle,
    groupPriorityMinimum: 100,
    versionPriority: 100,
    ...more,
  }
  const made = await server.call(`POST ${registrations}`, {
    body: { metadata: { name: 'v1beta1.metrics.k8s.io' }, spec },
  })
  assert.equal(made.code, 201, made.object.message)
}

/** Waits until the APIService says so. */
async function until(server: TestServer, reason: string): Promise<string> {
  const watch = await server.watch(registrations, 'fieldSelector=metadata.name%3Dv1beta1.metrics.k8s.io')
  for (;;) {
    const { value } = (await watch.events.next()) as { value: { object: { status?: { conditions?: Condition[] } } } }
    const [condition] = value.object.status?.conditions ?? []
    if (condition?.reason !== reason) continue
    watch.stop()
    return `${condition.status}: ${condition.message}`
  }
}

interface Condition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

// The server stands for the sample: it is asked over TLS by name, trusts the front proxy alone, and answers for its group.
const supported = 'Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator'
behaviour('apimachinery/aggregator', supported, async (t) => {
  const state = await cluster(t)
  const { server, calls } = state
  await addBackend(state)
  await register(state)
  assert.equal(await until(server, 'Passed'), 'True: all checks passed')
  const user = { name: 'ann', groups: ['devs', 'ops'], extra: { 'a/b': ['x'] } }
  const headers = { 'x-remote-user': 'forged', authorization: 'Bearer secret' }
  const answer = await server.call(`GET ${nodes}`, { query: 'limit=5', user, headers })
  assert.deepEqual([answer.code, answer.object], [200, metrics])
  const call = calls.at(-1)
  assert.equal(call?.path, `${nodes}?limit=5`)
  assert.equal(call?.headers['x-remote-user'], 'ann')
  assert.match(String(call?.headers['x-remote-group']), /devs, ops/)
  assert.equal(call?.headers['x-remote-extra-a%2fb'], 'x')
  assert.equal(call?.headers.authorization, undefined)
  assert.equal((await server.call(`POST ${nodes}`, { body: { kind: 'NodeMetrics' }, user })).code, 200)
  assert.deepEqual([calls.at(-1)?.method, calls.at(-1)?.body], ['POST', '{"kind":"NodeMetrics"}'])
})

test('discovery and OpenAPI tell of it', async (t) => {
  const state = await cluster(t)
  const { server } = state
  await addBackend(state)
  await register(state)
  await until(server, 'Passed')
  const groups = (await server.call('GET /apis')).object as unknown as { groups: { name: string }[] }
  assert.equal(groups.groups.at(-1)?.name, 'metrics.k8s.io')
  const group = (await server.call('GET /apis/metrics.k8s.io')).object as unknown as {
    preferredVersion: { version: string }
  }
  assert.equal(group.preferredVersion.version, 'v1beta1')
  const list = (await server.call(`GET /apis/${groupVersion}`)).object as unknown as { resources: object[] }
  assert.deepEqual(list.resources, rows)
  const item = await aggregatedItem(server)
  assert.deepEqual([item.freshness, item.resources.map(({ resource }) => resource)], ['Current', ['nodes']])
  const index = JSON.parse((await server.call('GET /openapi/v3')).text) as { paths: Record<string, object> }
  assert.deepEqual(index.paths[`apis/${groupVersion}`], {
    serverRelativeURL: `/openapi/v3/apis/${groupVersion}?hash=ABC`,
  })
  const v3 = (await server.call(`GET /openapi/v3/apis/${groupVersion}`)).object as unknown as { openapi: string }
  assert.equal(v3.openapi, '3.0.0')
  const v2 = JSON.parse((await server.call('GET /openapi/v2')).text) as Record<'paths' | 'definitions', object>
  assert.ok(nodes in v2.paths && 'NodeMetrics' in v2.definitions && !('/apis/other/' in v2.paths))
})

interface DiscoveryItem {
  readonly freshness: string
  readonly resources: readonly { readonly resource: string }[]
}

async function aggregatedItem(server: TestServer): Promise<DiscoveryItem> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const { items } = JSON.parse((await server.call('GET /apis', { headers: { accept } })).text) as {
    items: { metadata: { name: string }; versions: DiscoveryItem[] }[]
  }
  const found = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io')?.versions[0]
  assert.ok(found)
  return found
}

test('a server that is away is not available, comes back, and goes with its APIService', async (t) => {
  const state = await cluster(t)
  const { server } = state
  await register(state)
  assert.equal(await until(server, 'ServiceNotFound'), 'False: service/metrics in "kube-system" is not present')
  const away = await server.call(`GET ${nodes}`)
  assert.deepEqual([away.code, away.text], [503, 'service unavailable\n'])
  await addBackend(state)
  await until(server, 'Passed')
  state.isAway = true
  await server.clock.advance(31_000)
  assert.match(
    await until(server, 'FailedDiscoveryCheck'),
    /^False: failing or missing response from https:\/\/10\.1\.2\.3:\d+\/apis\/metrics\.k8s\.io\/v1beta1: bad status from .*: 404$/,
  )
  const stale = await aggregatedItem(server)
  assert.deepEqual([stale.freshness, stale.resources.length], ['Stale', 1])
  state.isAway = false
  await server.clock.advance(31_000)
  await until(server, 'Passed')
  await server.call(`DELETE ${registrations}/v1beta1.metrics.k8s.io`)
  await server.call(`GET ${registrations}`)
  assert.equal((await server.call(`GET ${nodes}`)).code, 404)
})

test('a certificate of another authority is refused, unless nobody shall look', async (t) => {
  const state = await cluster(t)
  await addBackend(state)
  const other = await httpsExtension(t, () => ({ body: '' }))
  await register(state, { caBundle: other.caBundle })
  assert.match(await until(state.server, 'FailedDiscoveryCheck'), /x509: certificate signed by unknown authority$/)
  await state.server.call(`PATCH ${registrations}/v1beta1.metrics.k8s.io`, {
    body: { spec: { caBundle: null, insecureSkipTLSVerify: true } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  await until(state.server, 'Passed')
})

test('connections that leave HTTP are handed on', async (t) => {
  const state = await cluster(t)
  const { server, extension } = state
  await addBackend(state)
  await register(state)
  await until(server, 'Passed')
  extension.server.on('upgrade', (incoming, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.write(`${incoming.headers['x-remote-user'] as string}:`)
    socket.pipe(socket)
  })
  const front = createServer().on('upgrade', (incoming, socket, head) => {
    const request = {
      method: 'GET',
      path: nodes,
      query: new URLSearchParams(),
      headers: {},
      signal: new AbortController().signal,
    }
    const user = { name: 'ann', groups: [] }
    void server.server.upgrade({ request, info: parseRequestInfo(request), user, incoming, socket, head })
  })
  await new Promise<void>((resolve) => {
    front.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => front.close())
  const { port } = front.address() as AddressInfo
  const sent = httpRequest({ port, path: nodes, headers: { connection: 'Upgrade', upgrade: 'echo' } })
  sent.end()
  const text = await new Promise<string>((resolve) => {
    sent.on('upgrade', (_response, socket, head) => {
      let read = head.toString()
      socket.on('data', (chunk: Buffer) => {
        read += chunk.toString()
        if (!read.endsWith('hello')) return
        socket.destroy()
        resolve(read)
      })
      socket.write('hello')
    })
  })
  assert.equal(text, 'ann:hello')
})

test('the versions of definitions have APIServices that come and go with them', async (t) => {
  const { server } = await cluster(t)
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }]
  const names = { plural: 'tabs', kind: 'Tab' }
  const body = { metadata: { name: 'tabs.a.example' }, spec: { group: 'a.example', scope: 'Cluster', names, versions } }
  const watch = await server.watch(registrations)
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const made = await server.call(`POST ${definitions}`, { body })
  assert.equal(made.code, 201, made.object.message)
  assert.deepEqual(await watch.take(1), ['ADDED v1.a.example'])
  await server.call(`DELETE ${definitions}/tabs.a.example`)
  assert.deepEqual(await watch.take(1), ['DELETED v1.a.example'])
})
