import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import { short } from '../../short-messages.case.ts'
import { endpoints } from './endpoints.ts'
import { event } from './event.ts'
import { namespace } from './namespace.ts'
import { node } from './node.ts'

const nodesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24', 'x'] } },
    [
      'spec.podCIDRs[2]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24","x"]: may specify no more than one CIDR for each IP family',
    ],
  ],
  [
    {
      spec: {
        taints: [
          { key: 'a', effect: 'X' },
          { key: 'a b', value: 'c d', effect: 'NoSchedule' },
          { key: 'a', effect: '' },
          { key: 'k', effect: 'NoExecute' },
          { key: 'k', effect: 'NoExecute' },
        ],
      },
    },
    [
      'metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'metadata.taints[1].key: Invalid value: "a b": (qualified name)',
      'metadata.taints[1].value: Invalid value: "c d": (valid label)',
      'metadata.taints[2].effect: Required value',
      'metadata.taints[4]: Duplicate value: {"Key":"k","Value":"","Effect":"NoExecute","TimeAdded":null}: taints must be unique by key and effect pair',
    ],
  ],
]

test('nodes', () => {
  for (const [manifest, expected] of nodesCases)
    assert.deepEqual(short(tryCreate(node, manifest, '').messages), expected)
})

const namespacesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { finalizers: ['a', 'a/b'] } },
    ['spec.finalizers: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified'],
  ],
]

test('namespaces', () => {
  for (const [manifest, expected] of namespacesCases)
    assert.deepEqual(short(tryCreate(namespace, manifest, '').messages), expected)
})

const endpointsCases: readonly (readonly [object, readonly string[]])[] = [
  [{ subsets: [{}] }, ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`']],
  [
    {
      subsets: [
        {
          addresses: [{ ip: '127.0.0.1', hostname: 'A_', nodeName: 'B_' }],
          ports: [
            { port: 0, protocol: 'X' },
            { name: 'A_', port: 80, appProtocol: 'a b' },
          ],
        },
      ],
    },
    [
      'subsets[0].addresses[0].hostname: Invalid value: "A_": (lowercase RFC 1123 label)',
      'subsets[0].addresses[0].nodeName: Invalid value: "B_": (lowercase RFC 1123 subdomain)',
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'subsets[0].ports[0].name: Required value',
      'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'subsets[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'subsets[0].ports[1].name: Invalid value: "A_": (lowercase RFC 1123 label)',
      'subsets[0].ports[1].appProtocol: Invalid value: "a b": (qualified name)',
    ],
  ],
  [
    { subsets: [{ addresses: [{ ip: '0.0.0.0' }], notReadyAddresses: [{ ip: 'x' }], ports: [{ port: 80 }] }] },
    [
      'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
      'subsets[0].notReadyAddresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'subsets[0].notReadyAddresses[0].ip: Invalid value: "x": must be a valid IP address',
    ],
  ],
]

test('endpoints', () => {
  for (const [manifest, expected] of endpointsCases)
    assert.deepEqual(short(tryCreate(endpoints, manifest).messages), expected)
})

const eventsCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { involvedObject: { namespace: 'other' } },
    ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  ],
  [
    { involvedObject: { namespace: 'ns' }, eventTime: '2024-01-01T00:00:00.000000Z' },
    [
      'reportingComponent: Required value',
      'reportingComponent: Invalid value: "": name part must be non-empty',
      'reportingComponent: Invalid value: "": (qualified name)',
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
  ],
]

test('events', () => {
  for (const [manifest, expected] of eventsCases) assert.deepEqual(short(tryCreate(event, manifest).messages), expected)
})
