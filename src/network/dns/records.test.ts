import assert from 'node:assert/strict'
import { test } from 'node:test'
import packet from 'dns-packet'
import type { Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { MalformedMessageError, readQuery, writeAnswer } from './message.ts'
import { answerFromCluster, type ClusterView } from './records.ts'

const zone = { domain: 'cluster.local', ttl: 5, serial: 1 }

const services: Record<string, Partial<Service['spec']>> = {
  web: { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80 }] },
  data: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] },
  out: { type: 'ExternalName', externalName: 'example.org' },
}

function serviceOf(name: string): Service | undefined {
  const spec = services[name]
  return spec && ({ metadata: { name, namespace: 'default' }, spec } as Service)
}

const dataSlice = {
  metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': 'data' } },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.244.0.5'], hostname: 'data-0', conditions: { ready: true } },
    { addresses: ['10.244.0.6'], conditions: { ready: true } },
    { addresses: ['10.244.0.7'], conditions: { ready: false } },
  ],
  ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }],
} as unknown as EndpointSlice

const view: ClusterView = {
  hasNamespace: (name) => name === 'default',
  service: (namespace, name) => (namespace === 'default' ? serviceOf(name) : undefined),
  slices: (_namespace, name) => (name === 'data' ? [dataSlice] : []),
  servicesAt: (address) => (address === '10.96.0.20' ? [serviceOf('web') as Service] : []),
  slicesAt: (address) => (address === '10.244.0.5' ? [dataSlice] : []),
}

function ask(name: string, type: packet.RecordType): string {
  const message = packet.encode({ type: 'query', id: 7, flags: 0x100, questions: [{ type, name }] })
  const query = readQuery(message)
  const answer = answerFromCluster(query.question, view, zone)
  if (!answer) return 'forward'
  const decoded = packet.decode(writeAnswer(query, answer, query.udpSize))
  assert.equal(decoded.id, 7)
  const rows = (decoded.answers ?? []).map(
    (record) => `${record.name} ${record.type} ${JSON.stringify('data' in record ? record.data : '')}`,
  )
  return [(decoded as { rcode?: string }).rcode, ...rows].join('; ')
}

const cases: readonly (readonly [name: string, type: packet.RecordType, expected: string])[] = [
  ['web.default.svc.cluster.local', 'A', 'NOERROR; web.default.svc.cluster.local A "10.96.0.20"'],
  ['WEB.default.svc.cluster.local', 'A', 'NOERROR; WEB.default.svc.cluster.local A "10.96.0.20"'],
  ['web.default.svc.cluster.local', 'AAAA', 'NOERROR'],
  ['none.default.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['web.other.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['default.svc.cluster.local', 'A', 'NOERROR'],
  [
    'data.default.svc.cluster.local',
    'A',
    'NOERROR; data.default.svc.cluster.local A "10.244.0.5"; data.default.svc.cluster.local A "10.244.0.6"',
  ],
  ['data-0.data.default.svc.cluster.local', 'A', 'NOERROR; data-0.data.default.svc.cluster.local A "10.244.0.5"'],
  [
    '10-244-0-6.data.default.svc.cluster.local',
    'A',
    'NOERROR; 10-244-0-6.data.default.svc.cluster.local A "10.244.0.6"',
  ],
  ['out.default.svc.cluster.local', 'A', 'NOERROR; out.default.svc.cluster.local CNAME "example.org"'],
  ['10-244-0-9.default.pod.cluster.local', 'A', 'NOERROR; 10-244-0-9.default.pod.cluster.local A "10.244.0.9"'],
  ['10-244-0-999.default.pod.cluster.local', 'A', 'NXDOMAIN'],
  ['20.0.96.10.in-addr.arpa', 'PTR', 'NOERROR; 20.0.96.10.in-addr.arpa PTR "web.default.svc.cluster.local"'],
  ['5.0.244.10.in-addr.arpa', 'PTR', 'NOERROR; 5.0.244.10.in-addr.arpa PTR "data-0.data.default.svc.cluster.local"'],
  ['1.1.1.1.in-addr.arpa', 'PTR', 'forward'],
  ['example.org', 'A', 'forward'],
  ['notcluster.local', 'A', 'forward'],
]

for (const [name, type, expected] of cases) {
  test(`answerFromCluster() answers ${type} ${name}`, () => assert.equal(ask(name, type), expected))
}

test('answerFromCluster() gives SRV records their targets', () => {
  const row = (target: string): string =>
    `_sql._tcp.data.default.svc.cluster.local SRV ${JSON.stringify({ priority: 0, weight: 100, port: 5432, target })}`
  const expected = ['data-0', '10-244-0-6'].map((host) => row(`${host}.data.default.svc.cluster.local`))
  assert.equal(ask('_sql._tcp.data.default.svc.cluster.local', 'SRV'), ['NOERROR', ...expected].join('; '))
})

test('writeAnswer() truncates what does not fit and says so', () => {
  const query = readQuery(packet.encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'a.b' }] }))
  const answers = Array.from(
    { length: 60 },
    (_, index) => ({ type: 'A', name: 'a.b', ttl: 1, address: `10.0.0.${index}` }) as const,
  )
  const bytes = writeAnswer(query, { code: 'noError', answers, authority: [], additional: [] }, 512)
  assert.ok(bytes.length <= 512)
  const decoded = packet.decode(bytes)
  assert.equal(decoded.flag_tc, true)
  assert.equal(decoded.answers?.length, 30)
})

test('readQuery() refuses garbage with a typed error and nothing else', () => {
  const good = packet.encode({
    type: 'query',
    id: 9,
    questions: [{ type: 'A', name: 'web.default.svc.cluster.local' }],
  })
  for (let index = 0; index < good.length; index++) {
    for (const value of [0, 0x3f, 0x40, 0xc0, 0xff]) {
      const bytes = Buffer.from(good)
      bytes[index] = value
      assert.doesNotThrow(() => {
        try {
          readQuery(bytes.subarray(0, value === 0xff ? index : bytes.length))
        } catch (error) {
          if (!(error instanceof MalformedMessageError)) throw error
        }
      })
    }
  }
})
