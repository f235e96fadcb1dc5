import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatefulSet } from '#api/types/apps.v1.ts'
import type { PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import { claimOwners } from './claims.ts'

const pod = { metadata: { name: 'db-0', uid: 'pod' } } as Pod
const former = { apiVersion: 'v1', kind: 'Pod', name: 'db-0', uid: 'former' }
const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'other' }

const cases = [
  { whenDeleted: 'Retain', whenScaled: 'Retain', isCondemned: true, owners: [] },
  { whenDeleted: 'Delete', whenScaled: 'Retain', isCondemned: true, owners: ['set'] },
  { whenDeleted: 'Retain', whenScaled: 'Delete', isCondemned: true, owners: ['pod'] },
  { whenDeleted: 'Retain', whenScaled: 'Delete', isCondemned: false, owners: [] },
  { whenDeleted: 'Delete', whenScaled: 'Delete', isCondemned: true, owners: ['pod'] },
  { whenDeleted: 'Delete', whenScaled: 'Delete', isCondemned: false, owners: ['set'] },
]

for (const { whenDeleted, whenScaled, isCondemned, owners } of cases) {
  const whose = isCondemned ? 'condemned' : 'kept'
  test(`deleted: ${whenDeleted}, scaled: ${whenScaled}: claims of ${whose} pods belong to ${owners.join() || 'nobody'}`, () => {
    const persistentVolumeClaimRetentionPolicy = { whenDeleted, whenScaled }
    const set = { metadata: { name: 'db', uid: 'set' }, spec: { persistentVolumeClaimRetentionPolicy } }
    const claim = { metadata: { ownerReferences: [former, other] } } as unknown as PersistentVolumeClaim
    const found = claimOwners(claim, set as unknown as StatefulSet, pod, isCondemned)
    assert.deepEqual(
      found.map(({ uid }) => uid),
      ['other', ...owners],
    )
  })
}
