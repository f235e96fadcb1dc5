import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { ConfigMap, Event, Namespace, Node, PersistentVolumeClaim, Secret } from '../../types/core.v1.ts'
import { configMap } from './config-map.ts'
import { event } from './event.ts'
import { limitRange } from './limit-range.ts'
import { namespace } from './namespace.ts'
import { node } from './node.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import { persistentVolume } from './persistent-volume.ts'
import { replicationController } from './replication-controller.ts'
import { resourceQuota } from './resource-quota.ts'
import { secret } from './secret.ts'

const nowMs = Date.parse('2024-01-01T00:05:00Z')

const refused: readonly [Kind, object, readonly string[]][] = [
  [
    configMap,
    { data: { 'bad key!': 'v' } },
    [
      "data[bad key!]: Invalid value: \"bad key!\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  [
    configMap,
    { data: { k: 'v' }, binaryData: { k: 'AA==' } },
    ['data[k]: Invalid value: "k": duplicate of key present in binaryData'],
  ],
  [configMap, { data: { k: 'a'.repeat(1024 * 1024 + 1) } }, ['[]: Too long: may not be more than 1048576 bytes']],
  [secret, { type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
  [namespace, { metadata: { name: 'a.b' } }, ['metadata.name: Invalid value: "a.b": must not contain dots']],
  [
    node,
    { spec: { podCIDR: 'x', podCIDRs: ['x'], taints: [{ key: 'a', effect: 'Never' }] } },
    [
      'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    limitRange,
    {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1' },
            min: { cpu: '2' },
            default: { cpu: '3' },
            defaultRequest: { cpu: '4' },
          },
        ],
      },
    },
    [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 3',
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
    ],
  ],
  [
    resourceQuota,
    { spec: { hard: { services: '1' }, scopes: ['BestEffort', 'NotBestEffort'] } },
    [
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
    ],
  ],
  [
    persistentVolume,
    { spec: {} },
    [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: null: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ],
  ],
  [
    persistentVolumeClaim,
    { spec: { accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'], resources: { requests: { storage: '0' } } } },
    [
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.resources[storage]: Invalid value: "0": must be greater than zero',
    ],
  ],
]

test('objects are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of refused) {
    const scoped = kind === namespace || kind === node || kind === persistentVolume ? '' : 'ns'
    assert.deepEqual(tryCreate(kind, manifest, scoped).messages, expected, kind.kind)
  }
})

test('immutable data stays', () => {
  const created = tryCreate(configMap, { immutable: true, data: { a: '1' } })
  const { messages } = tryUpdate<ConfigMap>(configMap, created, (draft) => {
    draft.immutable = false
    draft.data = { a: '2' }
  })
  assert.deepEqual(messages, [
    'immutable: Forbidden: field is immutable when `immutable` is set',
    'data: Forbidden: field is immutable when `immutable` is set',
  ])
})

test('stringData of a Secret becomes data, and its type stays', () => {
  const created = tryCreate(secret, { stringData: { a: 'x' }, data: { b: 'eQ==' } })
  const { data, type, stringData } = created.object as Secret
  assert.deepEqual([data, type, stringData], [{ a: 'eA==', b: 'eQ==' }, 'Opaque', undefined])
  const { messages } = tryUpdate<Secret>(secret, created, (draft) => void (draft.type = 'other'))
  assert.deepEqual(messages, ['type: Invalid value: "other": field is immutable'])
})

test('a Namespace has its name as a label and a finalizer of its own', () => {
  const { metadata, spec, status } = tryCreate(namespace, { metadata: { name: 'a' } }, '').object as Namespace
  assert.deepEqual(metadata.labels, { 'kubernetes.io/metadata.name': 'a' })
  assert.deepEqual([spec, status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }])
})

test('the state of a Node', () => {
  const shown = (spec: object, status: object): readonly unknown[] => {
    const { object } = tryCreate(
      node,
      { metadata: { labels: { 'node-role.kubernetes.io/edge': '' } }, spec, status },
      '',
    )
    return node.cells?.(object as Node, nowMs) ?? []
  }
  const ready = {
    conditions: [{ type: 'Ready', status: 'True' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
  }
  assert.deepEqual(shown({}, ready).slice(1, 6), ['Ready', 'edge', '5m', '', '10.0.0.1'])
  assert.equal(
    shown({ unschedulable: true }, { conditions: [{ type: 'Ready', status: 'False' }] })[1],
    'NotReady,SchedulingDisabled',
  )
  assert.equal(shown({}, {})[1], 'Unknown')
})

test('an Event shows when it was last seen, and how often', () => {
  const involvedObject = { kind: 'Pod', namespace: 'ns', name: 'p', fieldPath: 'spec' }
  const cells = (more: object): readonly unknown[] =>
    event.cells?.(
      tryCreate(event, { involvedObject, type: 'Normal', reason: 'R', message: ' m ', ...more }).object as Event,
      nowMs,
    ) ?? []
  const times = { firstTimestamp: '2024-01-01T00:00:00Z', lastTimestamp: '2024-01-01T00:04:30Z', count: 3 }
  const source = { component: 'kubelet', host: 'n1' }
  assert.deepEqual(cells({ ...times, source }), [
    '30s',
    'Normal',
    'R',
    'pod/p',
    'spec',
    'kubelet, n1',
    'm',
    '5m',
    3,
    'x',
  ])
  assert.deepEqual(cells({}).slice(7, 9), ['<unknown>', 1])
})

test('a ReplicationController takes labels and selector from its template', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
  const { object, messages } = tryCreate(replicationController, { spec: { template } })
  assert.deepEqual(messages, [])
  assert.deepEqual(object.metadata.labels, { a: 'b' })
})

test('a claim that is not bound does not grow', () => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 's' }
  const created = tryCreate(persistentVolumeClaim, { spec })
  const { messages } = tryUpdate<PersistentVolumeClaim>(persistentVolumeClaim, created, (draft) => {
    draft.spec.resources = { requests: { storage: '2Gi' } }
  })
  const rule =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
  const diff = [
    '@@ -6,7 +6,7 @@',
    '  "Resources": {',
    '   "Limits": null,',
    '   "Requests": {',
    '-   "storage": "1Gi"',
    '+   "storage": "2Gi"',
    '   }',
    '  },',
    '  "VolumeName": "",',
  ]
  assert.deepEqual(messages, [`spec: Forbidden: ${rule}\n${diff.join('\n')}\n`])
})
