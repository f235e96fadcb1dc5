import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { New } from '#api/meta/resource.ts'
import type { Pod, Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { decideSlices } from './decide.ts'
import { endpointsOfService } from './endpoints-of-service.ts'

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 's',
    resourceVersion: '1',
    creationTimestamp: '',
    labels: { team: 'a' },
  },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.96.0.5',
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
  },
} as unknown as Service

function pod(index: number, more: { port?: number; ready?: boolean; terminating?: boolean; ips?: string[] } = {}): Pod {
  const { port = 8080, ready = true, terminating = false, ips = [`10.244.0.${index}`] } = more
  const ports = [{ name: 'http', containerPort: port }]
  return {
    metadata: {
      name: `p${String(index).padStart(4, '0')}`,
      namespace: 'default',
      uid: `u${index}`,
      labels: { app: 'web' },
      ...(terminating ? { deletionTimestamp: 'now' } : {}),
    },
    spec: { nodeName: 'n1', containers: [{ name: 'c', ports }] },
    status: {
      phase: 'Running',
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  } as unknown as Pod
}

function pods(count: number): readonly Pod[] {
  return Array.from({ length: count }, (_, index) => pod(index + 1))
}

/** What the server makes of a created slice. */
function stored(slice: New<EndpointSlice>, name: string): EndpointSlice {
  return {
    ...slice,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...slice.metadata, name },
  } as unknown as EndpointSlice
}

function decide(chosen: readonly Pod[], existing: readonly EndpointSlice[], of: Service = service) {
  return decideSlices(
    of,
    endpointsOfService(of, chosen, () => undefined),
    existing,
  )
}

test('endpoints carry addresses, conditions, node and target', () => {
  const [group] = endpointsOfService(service, [pod(1, { terminating: true })], () => {
    return { metadata: { labels: { 'topology.kubernetes.io/zone': 'z1' } } } as never
  })
  assert.deepEqual(group, {
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.244.0.1'],
        conditions: { ready: false, serving: true, terminating: true },
        nodeName: 'n1',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'p0001', uid: 'u1' },
        zone: 'z1',
      },
    ],
  })
})

test('publishNotReadyAddresses makes everything ready; finished pods and pods without address never count', () => {
  const published = { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } } as Service
  const finished = { ...pod(3), status: { ...pod(3).status, phase: 'Succeeded' } } as Pod
  const [group] = endpointsOfService(
    published,
    [pod(1, { ready: false }), pod(2, { ips: [] }), finished],
    () => undefined,
  )
  assert.deepEqual(
    group?.endpoints.map(({ conditions }) => conditions?.ready),
    [true],
  )
})

test('pods that listen elsewhere get slices of their own, and so does each address family', () => {
  const dual = { ...service, spec: { ...service.spec, ipFamilies: ['IPv4', 'IPv6'] } } as Service
  const chosen = [pod(1, { ips: ['10.244.0.1', 'fd00::1'] }), pod(2, { port: 9090 })]
  const groups = endpointsOfService(dual, chosen, () => undefined)
  assert.deepEqual(
    groups.map(({ addressType, ports, endpoints }) => [addressType, ports[0]?.port, endpoints.length]),
    [
      ['IPv4', 8080, 1],
      ['IPv4', 9090, 1],
      ['IPv6', 8080, 1],
    ],
  )
})

test('a slice holds a hundred endpoints, and labels and owner point to the service', () => {
  const { create } = decide(pods(230), [])
  assert.deepEqual(
    create.map((slice) => slice.endpoints?.length),
    [100, 100, 30],
  )
  assert.deepEqual(create[0]?.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
  assert.equal(create[0]?.metadata.ownerReferences?.[0]?.uid, 's')
})

test('what is right is left alone', () => {
  const existing = decide(pods(150), []).create.map((slice, index) => stored(slice, `s${index}`))
  assert.deepEqual(decide(pods(150), existing), { create: [], update: [], delete: [] })
})

test('one pod that goes and two that come cost one write', () => {
  const existing = decide(pods(150), []).create.map((slice, index) => stored(slice, `s${index}`))
  const changed = decide([...pods(150).filter((_, index) => index !== 120), pod(200), pod(201)], existing)
  assert.deepEqual([changed.create.length, changed.update.length, changed.delete.length], [0, 1, 0])
  assert.equal(changed.update[0]?.metadata.name, 's1')
  assert.equal(changed.update[0]?.endpoints?.length, 51)
})

test('a service whose last pod goes keeps one empty slice', () => {
  const existing = decide(pods(150), []).create.map((slice, index) => stored(slice, `s${index}`))
  const { create, update, delete: removed } = decide([], existing)
  assert.equal(create.length, 0)
  assert.deepEqual(
    update.map((slice) => slice.endpoints),
    [[]],
  )
  assert.equal(removed.length, 1)
  assert.deepEqual(decide([], update), { create: [], update: [], delete: [] })
})

test('a headless service is marked and may have no ports', () => {
  const headless = { ...service, spec: { selector: { app: 'web' }, clusterIP: 'None' } } as unknown as Service
  const { create } = decide([pod(1)], [], headless)
  assert.deepEqual(create[0]?.ports, [])
  assert.equal(create[0]?.endpoints?.length, 1)
  assert.equal(create[0]?.metadata.labels?.['service.kubernetes.io/headless'], '')
})
