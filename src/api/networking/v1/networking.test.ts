import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointSlice } from '../../discovery/v1/endpoint-slice.ts'
import { lease } from '../../coordination/v1/lease.ts'
import { tryCreate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import { hasHostBits } from '../../meta/validate-ip.ts'
import type { NetworkPolicy } from '../../types/networking.v1.ts'
import { ingress } from './ingress.ts'
import { ipAddress } from './ip-address.ts'
import { networkPolicy } from './network-policy.ts'
import { serviceCidr } from './service-cidr.ts'

const backend = { service: { name: 's', port: { number: 1 } } }

const cases: readonly [Kind, object, readonly string[]][] = [
  [ingress, { spec: {} }, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
  [
    ingress,
    {
      spec: {
        rules: [
          {
            host: '1.2.3.4',
            http: { paths: [{ path: 'nope', pathType: 'Regex', backend: { service: { name: 's', port: {} } } }] },
          },
        ],
      },
    },
    [
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
      'spec.rules[0].http.paths[0].backend: Required value: port name or number is required',
    ],
  ],
  [
    ingress,
    { spec: { rules: [{ http: { paths: [{ backend }] } }] } },
    ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
  ],
  [
    networkPolicy,
    {
      spec: {
        podSelector: {},
        policyTypes: ['Sideways'],
        ingress: [
          { from: [{ ipBlock: { cidr: '10.0.0.1' }, podSelector: {} }], ports: [{ port: 'Bad_Name', endPort: 5 }] },
        ],
      },
    },
    [
      'spec.ingress[0].ports[0].endPort: Invalid value: 5: may not be specified when `port` is non-numeric',
      'spec.ingress[0].ports[0].port: Invalid value: "Bad_Name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
      'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"',
    ],
  ],
  [
    serviceCidr,
    { spec: { cidrs: ['10.1.2.3/24', '10.2.0.0/16'] } },
    [
      'spec.cidrs[0]: Invalid value: "10.1.2.3/24": must not have bits set beyond the prefix length',
      'spec.cidrs: Invalid value: ["10.1.2.3/24","10.2.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [ipAddress, { metadata: { name: '10.0.0.1' }, spec: {} }, ['spec.parentRef: Required value']],
  [
    endpointSlice,
    { addressType: 'IPv4', endpoints: [{ addresses: ['x'] }], ports: [{ name: 'a' }, { name: 'a' }] },
    [
      'ports[1].name: Duplicate value: "a"',
      'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    lease,
    { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
]

test('objects of the network are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of cases) {
    const namespace = kind === serviceCidr || kind === ipAddress ? '' : 'ns'
    assert.deepEqual(tryCreate(kind, manifest, namespace).messages, expected, kind.kind)
  }
})

test('a policy is about what it says something of', () => {
  const types = (spec: object): unknown => (tryCreate(networkPolicy, { spec }).object as NetworkPolicy).spec.policyTypes
  assert.deepEqual(types({ podSelector: {} }), ['Ingress'])
  assert.deepEqual(types({ podSelector: {}, egress: [{}] }), ['Ingress', 'Egress'])
  assert.deepEqual(types({ podSelector: {}, egress: [{}], policyTypes: ['Egress'] }), ['Egress'])
})

test('bits beyond the prefix', () => {
  const cidrs: readonly [string, boolean][] = [
    ['10.1.2.0/24', false],
    ['10.1.2.3/24', true],
    ['10.1.2.3/32', false],
    ['2001:db8::/64', false],
    ['2001:db8::1/64', true],
    ['::ffff:10.0.0.0/120', false],
    ['::ffff:10.0.0.1/120', true],
    ['::/0', false],
  ]
  for (const [cidr, expected] of cidrs) assert.equal(hasHostBits(cidr), expected, cidr)
})

test('columns of an Ingress', () => {
  const hosts = ['a.e', 'b.e', 'c.e', 'd.e']
  const spec = { ingressClassName: 'q', rules: hosts.map((host) => ({ host })), tls: [{ hosts: ['a.e'] }] }
  const { object } = tryCreate(ingress, { spec })
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'lb.e' }] } }
  const cells = ingress.cells?.({ ...object, status } as never, Date.parse('2024-01-01T00:05:00Z'))
  assert.deepEqual(cells, ['x', 'q', 'a.e,b.e,c.e + 1 more...', '1.2.3.4,lb.e', '80, 443', '5m'])
})
