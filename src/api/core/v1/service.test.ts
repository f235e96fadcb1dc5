import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Service } from '../../types/core.v1.ts'
import { service } from './service.ts'

function specOf(spec: object): Service['spec'] {
  return (tryCreate(service, { spec }).object as Service).spec
}

test('services are filled in by their type', () => {
  const ports = [{ port: 80 }]
  const filled = [{ port: 80, protocol: 'TCP', targetPort: 80 }]
  const internal = { sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' }
  assert.deepEqual(specOf({ ports }), { ports: filled, type: 'ClusterIP', ...internal })
  assert.deepEqual(specOf({ type: 'NodePort', ports }), {
    ports: filled,
    type: 'NodePort',
    externalTrafficPolicy: 'Cluster',
    ...internal,
  })
  assert.deepEqual(specOf({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports }), {
    ports: filled,
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    allocateLoadBalancerNodePorts: true,
    ...internal,
  })
  assert.deepEqual(specOf({ type: 'ExternalName', externalName: 'a.example.com' }), {
    type: 'ExternalName',
    externalName: 'a.example.com',
    sessionAffinity: 'None',
  })
  assert.deepEqual(specOf({ ports, sessionAffinity: 'ClientIP' }).sessionAffinityConfig, {
    clientIP: { timeoutSeconds: 10_800 },
  })
})

test('a service is refused in the words of the API server', () => {
  const cases: readonly [object, readonly string[]][] = [
    [{}, ['spec.ports: Required value']],
    [
      { ports: [{ port: 0 }] },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [{ ports: [{ port: 80 }, { name: 'b', port: 81 }] }, ['spec.ports[0].name: Required value']],
    [
      { type: 'Nope', ports: [{ port: 80 }] },
      [
        'spec.type: Unsupported value: "Nope": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      { ports: [{ port: 80, nodePort: 30_000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [{ type: 'ExternalName' }, ['spec.externalName: Required value']],
    [
      { ports: [{ port: 80 }], externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
  ]
  for (const [spec, expected] of cases) assert.deepEqual(tryCreate(service, { spec }).messages, expected)
})

test('the cluster address stays while the service has one', () => {
  const created = tryCreate(service, { spec: { ports: [{ port: 80 }], clusterIP: '10.0.0.1' } })
  const moved = tryUpdate<Service>(service, created, ({ spec }) => {
    spec.clusterIP = '10.0.0.2'
    spec.clusterIPs = ['10.0.0.2']
  })
  assert.deepEqual(moved.messages, ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'])
})

test('columns of services', () => {
  const cells = (spec: object, status: object = {}): readonly unknown[] => {
    const { object } = tryCreate(service, { spec })
    return service.cells?.({ ...object, status } as never, Date.parse('2024-01-01T00:05:00Z')) ?? []
  }
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 53, protocol: 'UDP' },
  ]
  assert.deepEqual(cells({ clusterIP: '10.0.0.1', ports, selector: { app: 'x' } }), [
    'x',
    'ClusterIP',
    '10.0.0.1',
    '<none>',
    '80/TCP,53/UDP',
    '5m',
    'app=x',
  ])
  const external = cells({ type: 'ExternalName', externalName: 'e.com' })
  assert.deepEqual(external.slice(1, 5), ['ExternalName', '<none>', 'e.com', '<none>'])
  const balanced = { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30_080 }] }
  assert.deepEqual(cells(balanced).slice(3, 5), ['<pending>', '80:30080/TCP'])
  assert.equal(cells(balanced, { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } })[3], '1.2.3.4')
})

test('clusterIP and clusterIPs follow each other', () => {
  const ports = [{ port: 80 }]
  const created = tryCreate(service, { spec: { ports, clusterIPs: ['10.0.0.1'] } })
  assert.equal((created.object as Service).spec.clusterIP, '10.0.0.1')
  assert.deepEqual((tryCreate(service, { spec: { ports, clusterIP: 'None' } }).object as Service).spec.clusterIPs, [
    'None',
  ])
  const cleared = tryUpdate<Service>(service, created, ({ spec }) => void (spec.clusterIP = ''))
  assert.equal((cleared.object as Service).spec.clusterIPs, undefined)
})

test('external addresses are warned of at every write', () => {
  const { object } = tryCreate(service, { spec: { ports: [{ port: 80 }], externalIPs: ['203.0.113.9'] } })
  assert.equal(service.warnings?.(object).length, 1)
  assert.equal(service.warnings?.(object, object).length, 1)
})
