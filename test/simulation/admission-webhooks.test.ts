import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, type TestServer } from '#apiserver/server.case.ts'
import { httpsExtension, reviewing, type HttpsExtension, type ReviewRequest } from './https-extension.ts'
import {
  collection,
  deny,
  patchOf,
  podAddress,
  register,
  root,
  seen as current,
  trusted,
  webhookCluster,
} from './webhook-cluster.ts'

// The API server calls real HTTPS servers on loopback; only the store and the clock are not real.

test('a webhook is called over TLS, sees the request, and denies in its own words', async (t) => {
  const seen: ReviewRequest[] = []
  const hook = await httpsExtension(
    t,
    reviewing((request, { path }) => {
      assert.equal(path, '/x?timeout=10s')
      seen.push(request)
      return request.operation === 'CREATE' ? deny('no more of these') : { allowed: true }
    }),
  )
  const server = await webhookCluster(t)
  await register(server, trusted(hook), [{}])
  const refused = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.equal(refused.object.message, 'admission webhook "hook.example.com" denied the request: no more of these')
  assert.equal(refused.code, 400)
  assert.equal(seen[0]?.object.metadata.name, 'a')
  assert.deepEqual(seen[0].resource, { group: '', version: 'v1', resource: 'configmaps' })
})

test('a service is reached through its endpoints, by the name in its certificate', async (t) => {
  const hook = await httpsExtension(
    t,
    reviewing(() => deny('from the service')),
    { names: ['hook.default.svc'] },
  )
  const server = await webhookCluster(t)
  const ports = [{ port: 8443, protocol: 'TCP' }]
  await server.call('POST /api/v1/namespaces/default/services', {
    body: { metadata: { name: 'hook' }, spec: { ports } },
  })
  const service = { name: 'hook', namespace: 'default', path: '/y', port: 8443 }
  await register(server, { service, caBundle: hook.caBundle }, [{ failurePolicy: 'Fail' }])
  const slice = {
    metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [podAddress], conditions: { ready: true } }],
    ports: [{ name: '', port: hook.port, protocol: 'TCP' }],
  }
  const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
  const made = await server.call(`POST ${slices}`, { body: slice })
  assert.equal(made.code, 201, made.object.message)
  await current(server, slices)
  const refused = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.match(refused.object.message, /denied the request: from the service$/)
})

const failures: readonly (readonly [what: string, config: (hook: HttpsExtension) => object, message: RegExp])[] = [
  [
    'is not the one that its bundle names',
    ({ url }) => ({ url, caBundle: otherBundle }),
    /failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\?timeout=1s": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  ],
  [
    'is not there',
    () => ({ url: 'https://127.0.0.1:1/x' }),
    /Post "https:\/\/127\.0\.0\.1:1\/x\?timeout=1s": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  ],
  [
    'is a service that is not there',
    () => ({ service: { name: 'nobody', namespace: 'default' } }),
    /failed to call webhook: service "nobody" not found$/,
  ],
  ['takes too long', (hook) => trusted(hook, '/slow'), /context deadline exceeded$/],
  ['fails', (hook) => trusted(hook, '/broken'), /an error on the server \("out of order"\) has prevented the request/],
  ['has nothing at its path', (hook) => trusted(hook, '/missing'), /the server could not find the requested resource$/],
  [
    'answers somebody else',
    (hook) => trusted(hook, '/stranger'),
    /received invalid webhook response: expected response\.uid="[^"]+", got "x"$/,
  ],
]
let otherBundle = ''
test('a webhook that must not fail', async (t) => {
  const hook = await httpsExtension(t, async ({ path, body }) => {
    if (path.startsWith('/slow'))
      await new Promise((resolve) => {
        t.signal.addEventListener('abort', resolve)
      })
    if (path.startsWith('/broken')) return { status: 500, body: 'out of order' }
    if (path.startsWith('/missing')) return { status: 404, body: 'nothing' }
    const review = JSON.parse(body) as object
    return { body: { ...review, response: { uid: 'x', allowed: true } } }
  })
  otherBundle = (await httpsExtension(t, () => ({ body: '' }))).caBundle
  for (const [what, configOf, message] of failures) {
    await t.test(what, async (each) => {
      const server = await webhookCluster(each)
      await register(server, configOf(hook), [{ timeoutSeconds: 1 }])
      const failed = await server.call(`POST ${collection}`, { body: configMap('a') })
      assert.equal(failed.code, 500)
      assert.match(failed.object.message, /^Internal error occurred: failed calling webhook "hook\.example\.com": /)
      assert.match(failed.object.message, message)
    })
  }
  await t.test('may fail where its author says so', async (each) => {
    const server = await webhookCluster(each)
    await register(server, trusted(hook, '/broken'), [{ failurePolicy: 'Ignore' }])
    assert.equal((await server.call(`POST ${collection}`, { body: configMap('a') })).code, 201)
  })
})

test('webhooks change an object one after the other, and are asked again when a later one changed it', async (t) => {
  const asked: string[] = []
  const hook = await httpsExtension(
    t,
    reviewing(({ object }, { path }) => {
      const who = path.slice(1, 2)
      asked.push(who)
      if (object.data?.[who] !== undefined) return { allowed: true }
      return patchOf({ op: 'add', path: `/data/${who}`, value: Object.keys(object.data ?? {}).join('') })
    }),
  )
  const server = await webhookCluster(t)
  const again = { kind: 'Mutating', reinvocationPolicy: 'IfNeeded' } as const
  await register(server, trusted(hook, '/a'), [{ ...again, name: 'a.example.com' }])
  await register(server, trusted(hook, '/b'), [{ kind: 'Mutating', name: 'b.example.com' }])
  const made = await server.call(`POST ${collection}`, { body: configMap('m', { data: { x: '' } }) })
  assert.deepEqual(made.object.data, { x: '', a: 'x', b: 'xa' })
  assert.deepEqual(asked, ['a', 'b', 'a'])
})

test('a dry run asks only webhooks without side effects, and selectors and conditions narrow what is asked', async (t) => {
  const hook = await httpsExtension(
    t,
    reviewing(({ dryRun }) => deny(`dry run: ${dryRun}`)),
  )
  const server = await webhookCluster(t)
  await register(server, trusted(hook), [
    {
      name: 'one.example.com',
      sideEffects: 'NoneOnDryRun',
      namespaceSelector: { matchLabels: { team: 'a' } },
      objectSelector: { matchLabels: { judge: 'me' } },
      matchConditions: [{ name: 'not-free', expression: "object.metadata.name != 'free'" }],
    },
  ])
  const labelled = (name: string, judge: string): object => configMap(name, { metadata: { name, labels: { judge } } })
  const post = (body: object, query = ''): ReturnType<TestServer['call']> =>
    server.call(`POST ${collection}`, { body, query })
  assert.equal((await post(labelled('a', 'you'))).code, 201)
  assert.equal((await post(labelled('free', 'me'))).code, 201)
  assert.match((await post(labelled('b', 'me'), 'dryRun=All')).object.message, /dry run: true$/)
  assert.match((await post(labelled('b', 'me'))).object.message, /dry run: false$/)
})

test('a rule for one version sees requests of another in its own, and its patch comes back', async (t) => {
  const seen: ReviewRequest[] = []
  const hook = await httpsExtension(
    t,
    reviewing((request) => {
      seen.push(request)
      return patchOf({ op: 'replace', path: '/spec/maxReplicas', value: 7 })
    }),
  )
  const server = await webhookCluster(t)
  const rule = { apiGroups: ['autoscaling'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['*'] }
  await register(server, trusted(hook), [{ kind: 'Mutating', rules: [rule] }])
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
  const spec = { maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: target }
  const made = await server.call('POST /apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers', {
    body: { metadata: { name: 'h' }, spec },
  })
  assert.equal(made.code, 201, made.object.message)
  assert.equal(made.object.apiVersion, 'autoscaling/v1')
  assert.equal(made.object.spec['maxReplicas'], 7)
  assert.equal(made.object.spec['targetCPUUtilizationPercentage'], 50)
  const [request] = seen
  assert.deepEqual([request?.object.apiVersion, request?.kind.version], ['autoscaling/v2', 'v2'])
  assert.equal(request?.requestResource.version, 'v1')
})

test('connecting to a pod is judged, with the options of the connection', async (t) => {
  const seen: ReviewRequest[] = []
  const hook = await httpsExtension(
    t,
    reviewing((request) => {
      seen.push(request)
      return deny('attaching to pod is not allowed')
    }),
  )
  const server = await webhookCluster(t)
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/attach'] }
  await register(server, trusted(hook), [{ rules: [rule] }])
  const path = '/api/v1/namespaces/default/pods/p/attach'
  const refused = await server.call(`POST ${path}`, { query: 'stdout=true&container=c' })
  assert.match(refused.object.message, /denied the request: attaching to pod is not allowed$/)
  const { kind, name, subResource, object } = seen[0] ?? ({} as ReviewRequest)
  assert.deepEqual([kind.kind, name, subResource], ['PodAttachOptions', 'p', 'attach'])
  assert.equal((object as unknown as { container: string }).container, 'c')
})

test('webhooks are not asked about what configures webhooks', async (t) => {
  const hook = await httpsExtension(
    t,
    reviewing(() => deny('never')),
  )
  const server = await webhookCluster(t)
  const everything = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }]
  await register(server, trusted(hook), [{ rules: everything }])
  const gone = await server.call(`DELETE ${root}/validatingwebhookconfigurations/hook`)
  assert.equal(gone.code, 200)
})
