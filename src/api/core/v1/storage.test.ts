import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import { short } from '../../short-messages.case.ts'
import { persistentVolume } from './persistent-volume.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'

const volumesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: {} },
    [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: null: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ],
  ],
  [
    {
      spec: {
        accessModes: ['ReadWriteOncePod', 'ReadWriteOnce', 'X'],
        capacity: { storage: '0' },
        hostPath: { path: '/' },
        nfs: { server: '', path: 'a' },
        persistentVolumeReclaimPolicy: 'Recycle',
        storageClassName: 'A_',
        volumeMode: 'X',
        nodeAffinity: {},
      },
    },
    [
      'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
      'spec.nodeAffinity.required: Required value: must specify required node constraints',
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      'spec.storageClassName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.volumeMode: Unsupported value: "X": supported values: "Block", "Filesystem"',
    ],
  ],
]

test('volumes', () => {
  for (const [manifest, expected] of volumesCases)
    assert.deepEqual(short(tryCreate(persistentVolume, manifest, '').messages), expected)
})

const claimsCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: {} },
    ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value'],
  ],
  [
    {
      spec: {
        accessModes: ['X', 'ReadWriteOncePod'],
        resources: { requests: { storage: '-1' } },
        storageClassName: 'A_',
        volumeMode: 'X',
        selector: { matchExpressions: [{ key: 'a', operator: 'X' }] },
        volumeAttributesClassName: 'A_',
      },
    },
    [
      'spec.selector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator',
      'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.resources[storage]: Invalid value: "-1": must be greater than zero',
      'spec.storageClassName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.volumeMode: Unsupported value: "X": supported values: "Block", "Filesystem"',
      'spec.volumeAttributesClassName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
    ],
  ],
  [
    {
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1' } },
        dataSource: { kind: 'X', name: '', apiGroup: 'a_' },
      },
    },
    [
      'spec.dataSource.name: Required value',
      'spec.dataSource.apiGroup: Invalid value: "a_": (lowercase RFC 1123 subdomain)',
      'spec.dataSourceRef.name: Required value',
      'spec.dataSourceRef.apiGroup: Invalid value: "a_": (lowercase RFC 1123 subdomain)',
    ],
  ],
]

test('claims', () => {
  for (const [manifest, expected] of claimsCases)
    assert.deepEqual(short(tryCreate(persistentVolumeClaim, manifest).messages), expected)
})
