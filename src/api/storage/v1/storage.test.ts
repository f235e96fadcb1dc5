import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { CSIDriver, CSINode, StorageClass } from '../../types/storage.v1.ts'
import { csiDriver } from './csi-driver.ts'
import { csiNode } from './csi-node.ts'
import { storageClass } from './storage-class.ts'
import { volumeAttachment } from './volume-attachment.ts'

const cases: readonly [Kind, object, readonly string[]][] = [
  [storageClass, { provisioner: '' }, ['provisioner: Required value']],
  [
    storageClass,
    { provisioner: 'a', reclaimPolicy: 'Burn', volumeBindingMode: 'Later' },
    [
      'reclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
  ],
  [
    csiDriver,
    { spec: { volumeLifecycleModes: ['Forever'] } },
    ['spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"'],
  ],
  [
    volumeAttachment,
    { spec: { attacher: 'a', nodeName: 'n', source: {} } },
    ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  ],
]

test('objects of storage are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of cases) assert.deepEqual(tryCreate(kind, manifest, '').messages, expected)
})

test('drivers are filled in', () => {
  assert.deepEqual((tryCreate(csiDriver, { spec: {} }, '').object as CSIDriver).spec, {
    attachRequired: true,
    podInfoOnMount: false,
    volumeLifecycleModes: ['Persistent'],
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
  })
  assert.equal((tryCreate(csiNode, { spec: { drivers: [] } }, '').object as CSINode).spec.drivers, null)
})

test('a storage class stays, and shows when it is the default', () => {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  const created = tryCreate(storageClass, { metadata: { annotations }, provisioner: 'p' }, '')
  const changed = tryUpdate<StorageClass>(storageClass, created, (draft) => {
    draft.provisioner = 'b'
    draft.parameters = { a: 'b' }
  })
  assert.deepEqual(changed.messages, [
    'parameters: Invalid value: {"a":"b"}: field is immutable',
    'provisioner: Invalid value: "b": field is immutable',
  ])
  const cells = storageClass.cells?.(created.object, Date.parse('2024-01-01T00:05:00Z'))
  assert.deepEqual(cells, ['x (default)', 'p', 'Delete', 'Immediate', false, '5m'])
})
