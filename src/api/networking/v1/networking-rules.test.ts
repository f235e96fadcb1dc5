import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { IPAddress, ServiceCIDR } from '../../types/networking.v1.ts'
import { ingressClass } from './ingress-class.ts'
import { ingress } from './ingress.ts'
import { ipAddress } from './ip-address.ts'
import { networkPolicy } from './network-policy.ts'
import { serviceCidr } from './service-cidr.ts'

const name = "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an"
const subdomain = `a lowercase RFC 1123 subdomain ${name} alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`
const defaultBackend = { service: { name: 's', port: { number: 80 } } }
const classPath = 'kubernetes.io/ingress.class'

const refused: readonly [Kind, object, readonly string[]][] = [
  [
    ingress,
    {
      metadata: { annotations: { [classPath]: 'a' } },
      spec: { defaultBackend, ingressClassName: 'b', tls: [{ secretName: 'Bad_' }] },
    },
    [
      `spec.tls[0].secretName: Invalid value: "Bad_": ${subdomain}`,
      `annotations.${classPath}: Invalid value: "a": must match \`ingressClassName\` when both are specified`,
    ],
  ],
  [
    ingress,
    { spec: { defaultBackend: { resource: { kind: '', name: 'n' } } } },
    ['spec.defaultBackend.resource.kind: Required value: kind is required'],
  ],
  [
    ingressClass,
    { spec: { controller: 'short', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } } },
    [
      'spec.controller: Invalid value: "short": must be a domain-prefixed path (such as "acme.io/foo")',
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  ],
  [
    networkPolicy,
    {
      spec: {
        podSelector: {},
        egress: [
          { ports: [{ port: 9, endPort: 3 }], to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/9'] } }] },
        ],
      },
    },
    [
      'spec.egress[0].ports[0].endPort: Invalid value: 9: must be greater than or equal to `port`',
      'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/9": must be a strict subset of `cidr`',
    ],
  ],
  [
    ipAddress,
    { metadata: { name: '2001:db8:0::1' }, spec: { parentRef: { group: 'A_', resource: 'r', name: '' } } },
    [
      'metadata.name: Invalid value: "2001:db8:0::1": must be in canonical form ("2001:db8::1")',
      `spec.parentRef.group: Invalid value: "A_": ${subdomain}`,
      'spec.parentRef.name: Required value',
    ],
  ],
]

test('objects of networking are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of refused) {
    const namespace = [ipAddress, ingressClass].includes(kind) ? '' : 'ns'
    assert.deepEqual(tryCreate(kind, manifest, namespace).messages, expected)
  }
})

test('an ingress with the old annotation is told of the field', () => {
  const { object } = tryCreate(ingress, { metadata: { annotations: { [classPath]: 'a' } }, spec: { defaultBackend } })
  assert.deepEqual(ingress.warnings?.(object), [
    `annotation "${classPath}" is deprecated, please use 'spec.ingressClassName' instead`,
  ])
})

test('addresses and ranges stay, but a range may become one of two families', () => {
  const parentRef = { resource: 'services', namespace: 'd', name: 's' }
  const address = tryCreate(ipAddress, { metadata: { name: '10.0.0.1' }, spec: { parentRef } }, '')
  const given = tryUpdate<IPAddress>(ipAddress, address, ({ spec }) => void (spec.parentRef.name = 't'))
  assert.deepEqual(given.messages, [
    'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"d","Name":"t"}: field is immutable',
  ])
  const range = tryCreate(serviceCidr, { spec: { cidrs: ['10.0.0.0/24'] } }, '')
  const cidrsOf = (cidrs: string[]): readonly string[] =>
    tryUpdate<ServiceCIDR>(serviceCidr, range, ({ spec }) => void (spec.cidrs = cidrs)).messages
  assert.deepEqual(cidrsOf(['10.0.0.0/24', 'fd00::/112']), [])
  assert.deepEqual(cidrsOf(['10.1.0.0/24']), ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable'])
})
