import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { CSIDriver, CSINode, VolumeAttachment } from '../../types/storage.v1.ts'
import { csiDriver } from './csi-driver.ts'
import { csiNode } from './csi-node.ts'
import { storageClass } from './storage-class.ts'
import { volumeAttachment } from './volume-attachment.ts'

const zone = { key: 'zone', values: ['a', 'a'] }

const refused: readonly [Kind, object, readonly string[]][] = [
  [
    storageClass,
    { provisioner: 'a', allowedTopologies: [{ matchLabelExpressions: [zone] }, { matchLabelExpressions: [] }] },
    [
      'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
      'allowedTopologies[1].matchLabelExpressions: Required value',
    ],
  ],
  [
    csiDriver,
    { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 5 }, { audience: 'a' }] } },
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ],
  ],
  [
    csiNode,
    { spec: { drivers: [{ name: 'd', nodeID: '', topologyKeys: ['a', 'a'], allocatable: { count: -1 } }] } },
    [
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[0].topologyKeys: Duplicate value: "a"',
    ],
  ],
  [
    volumeAttachment,
    { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p', inlineVolumeSpec: {} } } },
    ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  ],
]

test('topologies, tokens and sources that cannot be', () => {
  for (const [kind, manifest, expected] of refused) assert.deepEqual(tryCreate(kind, manifest, '').messages, expected)
})

test('a driver counts its changes from the first one on', () => {
  const created = tryCreate(csiDriver, { spec: {} }, '')
  assert.equal(created.object.metadata.generation, undefined)
  const changed = tryUpdate<CSIDriver>(csiDriver, created, ({ spec }) => void (spec.requiresRepublish = true))
  assert.equal(changed.object.metadata.generation, 1)
})

test('what is said of attachments and nodes stays', () => {
  const spec = { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } }
  const attached = tryCreate(volumeAttachment, { spec }, '')
  const moved = tryUpdate<VolumeAttachment>(volumeAttachment, attached, (draft) => void (draft.spec.nodeName = 'm'))
  assert.deepEqual(moved.messages, [
    'spec: Invalid value: {"Attacher":"a","Source":{"PersistentVolumeName":"p","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable',
  ])
  const node = tryCreate(csiNode, { spec: { drivers: [{ name: 'd', nodeID: 'i' }] } }, '')
  const renamed = tryUpdate<CSINode>(csiNode, node, (draft) => void (draft.spec.drivers = [{ name: 'd', nodeID: 'j' }]))
  assert.deepEqual(renamed.messages, [
    'CSINodeDriver: Invalid value: {"Name":"d","NodeID":"j","TopologyKeys":null,"Allocatable":null}: field is immutable',
  ])
})
