/**
 * Goal: what conformance promises of workloads that serve, of slices made by hand, and of service accounts, where real
 * containers matter. Method: one cluster, and one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { isPodReady } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { TokenRequest } from '#api/types/authentication.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import {
  configMaps,
  endpointSlices,
  pods,
  replicaSets,
  replicationControllers,
  serviceAccounts,
  services,
  tokenReviews,
} from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { request } from './harness/requests.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const options = { skip, concurrency: 4 }
const echo = 'coracle.test/echo:1'
const labels = { app: 'echo' }

/** Two replicas run the image, and each answers with its own name. */
async function showServing<T extends KubernetesObject>(
  space: TestSpace,
  resource: Resource<T>,
  selector: object,
): Promise<void> {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'echo', image: echo }] } }
  await space.of(resource).create({ metadata: { name: 'echo' }, spec: { replicas: 2, selector, template } } as never)
  const running = await eventually(
    async () => {
      const { items } = await space.of(pods).list({ labelSelector: 'app=echo' })
      return items.filter(isPodReady).length === 2 ? items : undefined
    },
    { what: 'two replicas are ready' },
  )
  for (const { metadata, status } of running) {
    assert.match(await request(`http://${status?.podIP}:8080/`), new RegExp(`hostname=${metadata.name}`))
  }
}

describe('workloads that serve', options, () => {
  behaviour(
    'apps/replica_set',
    'ReplicaSet should serve a basic image on each replica with a public image',
    async (t) => {
      await showServing(await shared.space(t), replicaSets, { matchLabels: labels })
    },
  )

  behaviour(
    'apps/rc',
    'ReplicationController should serve a basic image on each replica with a public image',
    async (t) => {
      await showServing(await shared.space(t), replicationControllers, labels)
    },
  )
})

/** A service without a selector, with one slice for each of its ports. */
async function showSlices(
  space: TestSpace,
  names: readonly [string, string],
  targets: readonly [number, number],
): Promise<void> {
  const servers = await Promise.all([...new Set(names)].map((name) => space.start(server(name))))
  const addressOf = (name: string | undefined) =>
    servers.find(({ metadata }) => metadata.name === name)?.status?.podIP ?? ''
  const ports = [
    { name: 'first', port: 9090 },
    { name: 'second', port: 9091 },
  ]
  const service = await space.of(services).create({ metadata: { name: 'by-hand' }, spec: { ports } } as never)
  for (const [at, { name }] of ports.entries()) {
    const slicePorts = [{ name, port: targets[at], protocol: 'TCP' }]
    await space.of(endpointSlices).create({
      metadata: { name: `by-hand-${name}`, labels: { 'kubernetes.io/service-name': 'by-hand' } },
      addressType: 'IPv4',
      ports: slicePorts,
      endpoints: [{ addresses: [addressOf(names[at])] }],
    } as never)
  }
  const ask = (port: number): string => `until wget -qO- http://${service.spec?.clusterIP}:${port}/; do sleep 0.2; done`
  const log = await space.output({ name: 'client', script: `${ask(9090)}; ${ask(9091)}` })
  assert.deepEqual(
    log.trim().split('\n'),
    targets.map((port, at) => `${at === 0 ? 'one' : names[1]} ${port}`),
  )
}

/** Says its name and the port on two of them. */
function server(name: string): TestPod {
  const serve = [8080, 8081].map(
    (port) => `mkdir /tmp/${port}; echo ${name} ${port} > /tmp/${port}/index.html; httpd -p ${port} -h /tmp/${port}`,
  )
  const readinessProbe = { tcpSocket: { port: 8081 }, periodSeconds: 1 }
  return { name, script: `${serve.join('; ')}; trap exit TERM; sleep 1000 & wait`, container: { readinessProbe } }
}

describe('slices made by hand', options, () => {
  behaviour(
    'network/endpointslice',
    'EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices',
    async (t) => {
      await showSlices(await shared.space(t), ['one', 'two'], [8080, 8081])
    },
  )

  behaviour(
    'network/endpointslice',
    'EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices',
    async (t) => {
      await showSlices(await shared.space(t), ['one', 'one'], [8080, 8081])
    },
  )
})

const area = 'auth/service_accounts'
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const issuer = 'https://kubernetes.default.svc.cluster.local'

const isMounted = ({ spec }: Pod): boolean =>
  spec.containers.some(({ volumeMounts = [] }) => volumeMounts.some(({ mountPath }) => mountPath === tokenPath))

describe('service accounts', options, () => {
  behaviour(area, 'ServiceAccounts should mount an API token into pods', async (t) => {
    const space = await shared.space(t)
    const files = ['token', 'ca.crt', 'namespace'].map((name) => `${tokenPath}/${name}`)
    const log = await space.output({ script: `for file in ${files.join(' ')}; do cat $file; echo; echo ---; done` })
    const [token = '', authority = '', namespace = ''] = log.split('\n---\n').map((part) => part.trim())
    const review = await shared.client.resource(tokenReviews).create({ metadata: {}, spec: { token } })
    assert.equal(review.status?.user?.username, `system:serviceaccount:${space.namespace}:default`)
    const published = await space.of(configMaps).get('kube-root-ca.crt')
    assert.equal(authority, published.data?.['ca.crt']?.trim())
    assert.equal(namespace, space.namespace)
  })

  behaviour(area, 'ServiceAccounts should allow opting out of API token automount', async (t) => {
    const space = await shared.space(t)
    const accounts = [undefined, true, false] as const
    for (const mount of accounts) {
      const automount = mount === undefined ? {} : { automountServiceAccountToken: mount }
      await space.of(serviceAccounts).create({ metadata: { name: `mount-${mount}` }, ...automount } as never)
    }
    const wanted = [true, true, false, true, true, true, false, false, false]
    const found: boolean[] = []
    for (const ofPod of accounts) {
      for (const ofAccount of accounts) {
        const automount = ofPod === undefined ? {} : { automountServiceAccountToken: ofPod }
        const spec = { serviceAccountName: `mount-${ofAccount}`, ...automount }
        const name = `pod-${ofPod}-account-${ofAccount}`
        const { pod, log } = await space.run({ name, spec, script: `ls ${tokenPath}/token 2>/dev/null || true` })
        assert.equal(log.includes('token'), isMounted(pod))
        found.push(isMounted(pod))
      }
    }
    assert.deepEqual(found, wanted)
  })

  behaviour(area, 'ServiceAccounts should mount projected service account token', async (t) => {
    const space = await shared.space(t)
    const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'somebody' } }]
    const volumes = [{ name: 'token', projected: { sources } }]
    const volumeMounts = [{ name: 'token', mountPath: '/var/run/secrets/tokens' }]
    const log = await space.output({
      script: 'cat /var/run/secrets/tokens/token',
      spec: { volumes },
      container: { volumeMounts },
    })
    const spec = { token: log.trim(), audiences: ['somebody'] }
    const review = await shared.client.resource(tokenReviews).create({ metadata: {}, spec })
    assert.equal(review.status?.authenticated, true)
  })

  behaviour(
    area,
    'ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview',
    async (t) => {
      const space = await shared.space(t)
      await space.of(serviceAccounts).create({ metadata: { name: 'mine' } })
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { expirationSeconds: 600 },
      }
      const { status } = await space.of(serviceAccounts).createSubresource<TokenRequest>('mine', 'token', body)
      const token = status?.token ?? ''
      assert.ok(token.length > 0)
      const review = await shared.client.resource(tokenReviews).create({ metadata: {}, spec: { token } })
      assert.deepEqual([review.status?.authenticated, review.status?.error], [true, undefined])
    },
  )

  behaviour(
    area,
    'ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer',
    async (t) => {
      const space = await shared.space(t)
      const token = (await space.output({ script: `cat ${tokenPath}/token` })).trim()
      const read = async <Document>(path: string): Promise<Document> => {
        const document = await shared.client.raw({ method: 'GET', path })
        return (
          typeof document === 'string'
            ? JSON.parse(document)
            : document instanceof Uint8Array
              ? JSON.parse(Buffer.from(document).toString())
              : document
        ) as Document
      }
      const configuration = await read<{ issuer: string; jwks_uri: string }>('/.well-known/openid-configuration')
      assert.equal(configuration.issuer, issuer)
      const keys = await read<JSONWebKeySet>(new URL(configuration.jwks_uri).pathname)
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer })
      assert.equal(payload.sub, `system:serviceaccount:${space.namespace}:default`)
    },
  )

  behaviour(area, 'ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace', async (t) => {
    const space = await shared.space(t)
    const collection = space.of(configMaps)
    const published = await space.waitFor(configMaps, 'kube-root-ca.crt', () => true)
    await collection.delete('kube-root-ca.crt')
    const isNew = async (): Promise<true | undefined> => {
      const { metadata } = await collection.get('kube-root-ca.crt')
      return metadata.uid === published.metadata.uid ? undefined : true
    }
    await eventually(isNew, { what: 'the map is made again' })
    await collection.patch('kube-root-ca.crt', { type: 'merge', patch: { data: { 'ca.crt': '' } } })
    await space.waitFor(configMaps, 'kube-root-ca.crt', ({ data }) => data?.['ca.crt'] === published.data?.['ca.crt'])
  })

  behaviour(area, 'ServiceAccounts should run through the lifecycle of a ServiceAccount', async (t) => {
    const space = await shared.space(t)
    const collection = space.of(serviceAccounts)
    const { resourceVersion } = await collection.list()
    const made = { 'test-serviceaccount-static': space.namespace }
    await collection.create({ metadata: { name: 'mine', labels: made } })
    await collection.patch('mine', { type: 'strategic', patch: { automountServiceAccountToken: false } })
    const labelSelector = `test-serviceaccount-static=${space.namespace}`
    const listed = await shared.client.resource(serviceAccounts).list({ labelSelector })
    assert.deepEqual(
      listed.items.map((account) => account.automountServiceAccountToken),
      [false],
    )
    await collection.deleteCollection({ labelSelector })
    const types: string[] = []
    for await (const event of collection.watch({ resourceVersion, labelSelector })) {
      if (event.type !== 'BOOKMARK') types.push(event.type)
      if (event.type === 'DELETED') break
    }
    assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED'])
    await assert.rejects(collection.get('mine'), (error) => isStatusError(error, 'NotFound'))
  })

  behaviour(area, 'ServiceAccounts should update a ServiceAccount', async (t) => {
    const space = await shared.space(t)
    const collection = space.of(serviceAccounts)
    const created = await collection.create({ metadata: { name: 'mine' }, automountServiceAccountToken: false })
    const updated = await collection.update({ ...created, automountServiceAccountToken: true })
    assert.equal(updated.automountServiceAccountToken, true)
    assert.equal((await collection.get('mine')).automountServiceAccountToken, true)
  })
})
