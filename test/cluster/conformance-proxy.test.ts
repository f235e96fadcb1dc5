/**
 * Goal: the API server is found, says who may what, and leads to what pods serve. Method: one cluster, a namespace and
 * real servers for each behaviour.
 */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { describe } from 'node:test'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import {
  endpoints,
  endpointSlices,
  localSubjectAccessReviews,
  nodes,
  roleBindings,
  serviceAccounts,
  services,
  subjectAccessReviews,
} from '#api/types/resources.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { eventually } from './harness/eventually.ts'
import { startServers } from './harness/many-servers.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const echo = 'coracle.test/echo:1'

interface Answer {
  readonly code: number
  readonly text: string
  readonly location: string | undefined
}

/** One request to the API server as the administrator; redirects are not followed. */
async function ask(
  path: string,
  method = 'GET',
  server = readKubeconfig(shared.cluster.layout.kubeconfig).server,
): Promise<Answer> {
  const { ca, certificate, key } = readKubeconfig(shared.cluster.layout.kubeconfig)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  request(new URL(path, server), { method, ca, cert: certificate, key }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    response.on('end', () => resolve({ code: response.statusCode ?? 0, text, location: response.headers.location }))
  })
    .on('error', reject)
    .end()
  return promise
}

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']

/** A pod that tells what it was asked, and a Service before it. */
async function startEcho(space: TestSpace): Promise<readonly string[]> {
  await space.start({ name: 'agnhost', labels: { app: 'echo' }, container: { image: echo } })
  await space.of(services).create({
    metadata: { name: 'test-service' },
    spec: { selector: { app: 'echo' }, ports: [{ name: 'portname', port: 80, targetPort: 8080 }] },
  })
  const root = `/api/v1/namespaces/${space.namespace}`
  const paths = [`${root}/pods/agnhost:8080/proxy`, `${root}/services/test-service:portname/proxy`]
  const answers = async (): Promise<true | undefined> => ((await ask(`${paths[1]}/`)).code === 200 ? true : undefined)
  await eventually(answers, { what: 'the service answers' })
  return paths
}

const network = 'network/proxy'

describe('the API server of a cluster', { skip, concurrency: 4 }, () => {
  behaviour(
    network,
    'Proxy version v1 A set of valid responses are returned for both pod and service Proxy',
    async (t) => {
      const paths = await startEcho(await shared.space(t))
      for (const path of paths) {
        for (const method of methods) {
          const { code, text, location } = await ask(`${path}?method=${method}`, method)
          // Without a closing slash those who only read are led to where relative links work.
          if (method === 'GET' || method === 'HEAD') {
            assert.deepEqual(
              [code, location?.endsWith(`/proxy/?method=${method}`)],
              [301, true],
              `${method} ${path}: ${location}`,
            )
          } else {
            assert.deepEqual([code, text.includes(`method=${method}\n`)], [200, true], `${method} ${path}: ${text}`)
          }
        }
      }
    },
  )

  behaviour(
    network,
    'Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath',
    async (t) => {
      const paths = await startEcho(await shared.space(t))
      for (const path of paths) {
        for (const method of methods) {
          const { code, text } = await ask(`${path}/some/path/with/${method}?a=b`, method)
          assert.equal(code, 200, `${method} ${path}: ${text}`)
          if (method === 'HEAD') continue
          assert.ok(text.includes(`method=${method}\nuri=/some/path/with/${method}?a=b\n`), text)
        }
      }
    },
  )

  behaviour(network, 'Proxy version v1 should proxy through a service and a pod', async (t) => {
    const space = await shared.space(t)
    const served = { plain: { 80: 'test', 160: 'foo', 162: 'bar' }, tls: { 443: 'tls baz', 460: 'tls qux' } }
    const named = (name: string, containerPort: number) => ({ name, containerPort })
    await startServers(
      space,
      {
        name: 'servers',
        labels: { app: 'servers' },
        container: {
          ports: [named('dest1', 160), named('dest2', 162), named('tlsdest1', 443), named('tlsdest2', 460)],
        },
      },
      served,
    )
    const port = (name: string, number: number, targetPort: string | number) => ({ name, port: number, targetPort })
    const ports = [
      port('portname1', 80, 'dest1'),
      port('portname2', 81, 162),
      port('tlsportname1', 443, 'tlsdest1'),
      port('tlsportname2', 444, 460),
    ]
    await space.of(services).create({ metadata: { name: 'proxy' }, spec: { selector: { app: 'servers' }, ports } })
    const expected: Readonly<Record<string, string>> = {
      'services/proxy:portname1': 'foo',
      'services/http:proxy:portname1': 'foo',
      'services/proxy:80': 'foo',
      'services/proxy:portname2': 'bar',
      'services/http:proxy:portname2': 'bar',
      'services/https:proxy:tlsportname1': 'tls baz',
      'services/https:proxy:444': 'tls qux',
      'services/https:proxy:tlsportname2': 'tls qux',
      'pods/servers': 'foo',
      'pods/servers:80': 'test',
      'pods/servers:160': 'foo',
      'pods/http:servers:162': 'bar',
      'pods/https:servers:443': 'tls baz',
      'pods/https:servers:460': 'tls qux',
    }
    const root = `/api/v1/namespaces/${space.namespace}`
    const isThere = async (): Promise<true | undefined> =>
      (await ask(`${root}/services/https:proxy:444/proxy/`)).code === 200 ? true : undefined
    await eventually(isThere, { what: 'the service has endpoints' })
    for (let round = 0; round < 5; round++) {
      const asked = Object.entries(expected).map(async ([target, text]) => {
        const answer = await ask(`${root}/${target}/proxy/`)
        assert.deepEqual([answer.code, answer.text], [200, text], target)
      })
      await Promise.all(asked)
    }
  })

  behaviour('network/apiserver', 'API Server should provide secure master service', async () => {
    const { spec } = await shared.client.resource(services, 'default').get('kubernetes')
    assert.deepEqual(
      spec?.ports?.map(({ name, port, protocol }) => [name, port, protocol]),
      [['https', 443, 'TCP']],
    )
  })

  behaviour(
    'network/apiserver',
    'API Server should have Endpoints and EndpointSlices pointing to API Server',
    async () => {
      const { subsets = [] } = await shared.client.resource(endpoints, 'default').get('kubernetes')
      const { items } = await shared.client
        .resource(endpointSlices, 'default')
        .list({ labelSelector: 'kubernetes.io/service-name=kubernetes' })
      const known = subsets.flatMap(({ addresses = [], ports = [] }) =>
        addresses.flatMap(({ ip }) => ports.map(({ name, port }) => `${name} ${ip}:${port}`)),
      )
      assert.deepEqual(items.flatMap(addressesOf), known)
      assert.equal(known.length, 1)
      const node = await shared.client.resource(nodes).get('node-1')
      const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
      assert.deepEqual(known, [`https ${address}:${shared.cluster.port}`])
      assert.equal((await ask('/readyz', 'GET', `https://${address}:${shared.cluster.port}`)).text, 'ok')
    },
  )

  behaviour('auth/subjectreviews', 'SubjectReview should support SubjectReview API operations', async (t) => {
    const space = await shared.space(t)
    const { namespace } = space
    await space.of(serviceAccounts).create({ metadata: { name: 'reviewed' } })
    const user = `system:serviceaccount:${namespace}:reviewed`
    const resourceAttributes = { verb: 'list', resource: 'configmaps', namespace }
    for (const expected of [false, true]) {
      if (expected) await grantView(space, 'reviewed')
      const own = await space.runKubectl(['get', 'configmaps', '--as', user])
      assert.equal(own.code === 0, expected, own.stderr)
      const spec = { user, resourceAttributes }
      const metadata = { name: '' }
      const answer = await shared.client.resource(subjectAccessReviews).create({ metadata, spec })
      assert.equal(answer.status?.allowed, expected)
      const local = await space.of(localSubjectAccessReviews).create({ metadata: { name: '', namespace }, spec })
      assert.equal(local.status?.allowed, expected)
    }
  })
})

const addressesOf = ({ endpoints: targets, ports }: EndpointSlice): string[] =>
  (targets ?? []).flatMap(({ addresses }) =>
    addresses.flatMap((ip) => (ports ?? []).map(({ name, port }) => `${name} ${ip}:${port}`)),
  )

async function grantView(space: TestSpace, name: string): Promise<void> {
  const { namespace } = space
  await space.of(roleBindings).create({
    metadata: { name: 'view' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  })
}
