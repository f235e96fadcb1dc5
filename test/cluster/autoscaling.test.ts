/**
 * Goal: autoscalers and `kubectl top` follow what containers really use, and figures that others serve behind the API
 * server. Method: pods that are busy until they are told to rest, measured by the cluster's own metrics API; then a real
 * HTTPS server behind APIServices, which believes only who shows the front proxy's certificate.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { newAuthority, newLeaf } from '#apiserver/certificates/certificate-authority.ts'
import type { Deployment } from '#api/types/apps.v1.ts'
import type { HorizontalPodAutoscalerSpec } from '#api/types/autoscaling.v2.ts'
import type { Node } from '#api/types/core.v1.ts'
import {
  apiServices,
  configMaps,
  deployments,
  endpointSlices,
  horizontalPodAutoscalers,
  nodes,
  pods,
  services,
} from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const labels = { app: 'web' }

/** Busy for as long as there is no file `/rest`. */
const script = 'while true; do [ -e /rest ] && sleep 1; done'

async function deploy(space: TestSpace, command: string): Promise<void> {
  // A fifth of what is allowed is busy enough: the machine may have other work.
  const resources = { requests: { cpu: '20m' }, limits: { cpu: '100m' } }
  const container = { name: 'main', image: busybox, command: ['sh', '-c', command], resources }
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } }
  await space
    .of(deployments)
    .create({ metadata: { name: 'web' }, spec: { replicas: 1, selector: { matchLabels: labels }, template } } as never)
  await reaches(space, 1)
}

async function reaches(space: TestSpace, replicas: number, timeoutMs = 60_000): Promise<void> {
  const isThere = ({ spec, status }: Deployment): boolean =>
    spec.replicas === replicas && status?.readyReplicas === replicas
  await space.waitFor(deployments, 'web', isThere, timeoutMs)
}

async function autoscale(space: TestSpace, spec: Partial<HorizontalPodAutoscalerSpec>): Promise<void> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  const scaleDown = { stabilizationWindowSeconds: 0 }
  const whole = { scaleTargetRef, minReplicas: 1, maxReplicas: 3, behavior: { scaleDown }, ...spec }
  await space.of(horizontalPodAutoscalers).create({ metadata: { name: 'web' }, spec: whole })
}

test('busy pods are joined by others, and resting ones leave', { skip }, async (t) => {
  const space = await shared.space(t)
  await deploy(space, script)
  const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 100 } } as const
  await autoscale(space, { metrics: [{ type: 'Resource', resource: cpu }] })

  await t.test('kubectl top shows them', async () => {
    const busy = async (): Promise<string | undefined> => {
      const shown = await space.kubectl('top', 'pod', '--containers', '--no-headers')
      return /web-\S+\s+main\s+(?:[2-9]\d|1\d\d)m\s+\d+Mi/.test(shown) ? shown : undefined
    }
    await eventually(busy, { what: 'kubectl top pod shows a busy container' })
    assert.match(await space.kubectl('top', 'node', '--no-headers'), /^node-1\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%/)
    const answer = await space.runKubectl(['top', 'pod', 'nobody'])
    assert.match(answer.stderr, /podmetrics\.metrics\.k8s\.io "\S+\/nobody" not found/)
  })

  await reaches(space, 3, 120_000)
  const { status } = await space.of(horizontalPodAutoscalers).get('web')
  assert.ok((status?.currentMetrics?.[0]?.resource?.current.averageUtilization ?? 0) > 100)
  assert.match(await space.waitForEvent('web', 'SuccessfulRescale'), /cpu resource utilization/)
  for (const { metadata } of (await space.of(pods).list()).items)
    await space.exec(metadata.name, 'main', 'touch', '/rest')
  await reaches(space, 1, 120_000)
})

interface Caller {
  readonly path: string
  readonly certificate: string
  readonly user: string
}

/** Serves the metrics APIs over HTTPS, to those whom the cluster's front proxy vouches for. */
async function adapter(t: TestContext, figures: { requests: string; queue: string }) {
  const calls: Caller[] = []
  const tools = { clock: systemClock, random: seededRandom(7) }
  const authority = newAuthority('adapter', tools)
  const names = { dnsNames: ['adapter.kube-system.svc'], ipAddresses: [] }
  const subject = { commonName: 'adapter', organizations: [] }
  const leaf = newLeaf({ subject, usages: ['serverAuth'], ...names }, authority, tools)
  const { data } = await shared.client.resource(configMaps, 'kube-system').get('extension-apiserver-authentication')
  const ca = data?.['requestheader-client-ca-file'] ?? ''
  const keys = { cert: leaf.certificate, key: leaf.key }
  const server: Server = createServer(
    { ...keys, ca, requestCert: true, rejectUnauthorized: true },
    (request, answer) => {
      const { pathname: path } = new URL(request.url ?? '', 'https://adapter')
      const { subject: of } = (request.socket as TLSSocket).getPeerCertificate()
      calls.push({ path, certificate: String(of.CN), user: String(request.headers['x-remote-user']) })
      const body = bodyOf(path, figures)
      answer.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
      answer.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }))
    },
  )
  await new Promise<void>((resolve) => void server.listen(0, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const allowed = JSON.parse(data?.['requestheader-allowed-names'] ?? '[]') as readonly string[]
  const { port } = server.address() as AddressInfo
  return { calls, allowed, port, caBundle: Buffer.from(authority.certificate).toString('base64') }
}

function bodyOf(path: string, { requests, queue }: { requests: string; queue: string }): object | undefined {
  const timestamp = new Date().toISOString()
  const [, , group = '', version = '', ...rest] = path.split('/')
  const list = (kind: string, items: readonly object[]): object => {
    return { kind, apiVersion: `${group}/${version}`, metadata: {}, items }
  }
  if (rest.length === 0)
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources: [] }
  if (group === 'external.metrics.k8s.io') {
    const item = { metricName: 'queue', metricLabels: {}, timestamp, value: queue }
    return list('ExternalMetricValueList', [item])
  }
  if (group !== 'custom.metrics.k8s.io') return list('PodMetricsList', [])
  const describedObject = {
    kind: 'Ingress',
    namespace: rest[1] ?? '',
    name: 'front',
    apiVersion: 'networking.k8s.io/v1',
  }
  return list('MetricValueList', [{ describedObject, metric: { name: 'requests' }, timestamp, value: requests }])
}

/** A Service without a selector whose endpoint is this process, and APIServices that lead to it. */
async function register(t: TestContext, { port, caBundle }: { port: number; caBundle: string }): Promise<void> {
  const { client } = shared
  const node: Node = await client.resource(nodes).get('node-1')
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
  await client
    .resource(services, 'kube-system')
    .create({ metadata: { name: 'adapter' }, spec: { ports: [{ port: 443, targetPort: port as never }] } } as never)
  await client.resource(endpointSlices, 'kube-system').create({
    metadata: { name: 'adapter', labels: { 'kubernetes.io/service-name': 'adapter' } },
    addressType: 'IPv4',
    ports: [{ name: '', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  } as never)
  const served = ['v1beta2.custom.metrics.k8s.io', 'v1beta1.external.metrics.k8s.io', 'v1beta1.metrics.k8s.io']
  for (const name of served) {
    const [version, ...group] = name.split('.')
    const service = { name: 'adapter', namespace: 'kube-system', port: 443 }
    const priorities = { groupPriorityMinimum: 100, versionPriority: 100 }
    await client.resource(apiServices).create({
      metadata: { name },
      spec: { group: group.join('.'), version, service, caBundle, ...priorities },
    } as never)
  }
  t.after(async () => {
    for (const name of served) await client.resource(apiServices).delete(name)
    await client.resource(services, 'kube-system').delete('adapter')
  })
  for (const name of served) {
    const isAvailable = async (): Promise<true | undefined> => {
      const { status } = await client.resource(apiServices).get(name)
      return status?.conditions?.some((known) => known.type === 'Available' && known.status === 'True') || undefined
    }
    await eventually(isAvailable, { what: `${name} is available` })
  }
}

test('figures that others serve are followed over the aggregation layer', { skip }, async (t) => {
  const figures = { requests: '10', queue: '10' }
  const server = await adapter(t, figures)
  await register(t, server)
  const space = await shared.space(t)
  await deploy(space, 'sleep 1000000')
  const describedObject = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' }
  const object = { describedObject, metric: { name: 'requests' }, target: { type: 'Value', value: '10' } }
  const external = { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } }
  await autoscale(space, {
    metrics: [
      { type: 'Object', object },
      { type: 'External', external },
    ],
  })
  await space.waitFor(horizontalPodAutoscalers, 'web', ({ status }) => (status?.currentMetrics?.length ?? 0) === 2)
  figures.requests = '20'
  await reaches(space, 2)
  figures.queue = '30'
  await reaches(space, 3)
  Object.assign(figures, { requests: '5', queue: '1' })
  await reaches(space, 1)
  const asked = server.calls.filter(({ user }) => user.endsWith(':horizontal-pod-autoscaler'))
  assert.ok(
    asked.some(({ path }) =>
      path.endsWith(`/namespaces/${space.namespace}/ingresses.networking.k8s.io/front/requests`),
    ),
  )
  assert.ok(asked.some(({ path }) => path.endsWith(`/namespaces/${space.namespace}/queue`)))
  for (const { certificate } of server.calls) assert.ok(server.allowed.includes(certificate), certificate)

  await t.test('the APIService of somebody else takes the place of the cluster’s own metrics API', async () => {
    const { stderr } = await space.runKubectl(['top', 'pod'])
    assert.match(stderr, /No resources found|metrics not available yet/)
    assert.ok(
      server.calls.some(
        ({ path, user }) => path.startsWith('/apis/metrics.k8s.io/') && !user.startsWith('system:kube-'),
      ),
    )
  })
})
