import { attachmentName, uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { NodeCapability } from './csi-driver.ts'
import { withDriver } from './csi-node.ts'
import { inlineSource, persistentSource, type CsiSource } from './csi-source.ts'
import { growthWanted, grownStatus } from './expansion.ts'
import { isGivenToGroup, volumeCapability } from './volume-capability.ts'

const csi = { driver: 'd.example', volumeHandle: 'h', fsType: 'ext4' }
const persistent = {
  metadata: { name: 'pv' },
  spec: { csi, accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' }, mountOptions: ['noatime'] },
} as unknown as PersistentVolume
const pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: { securityContext: { fsGroup: 5 } },
} as unknown as Pod
const source = persistentSource(persistent, false) as CsiSource
const can = (...names: NodeCapability[]): ReadonlySet<NodeCapability> => new Set(names)

test('volumes and attachments have the names that drivers and attachers know', () => {
  assert.equal(uniqueVolumeName(source), 'kubernetes.io/csi/d.example^h')
  // The digest of the handle, the driver and the node in one.
  assert.equal(attachmentName(source, 'node-1'), 'csi-82aae9bb9778860e26b71ef08a792d76284696319e623aa0eccedac1f5f363e6')
  assert.match(inlineSource(pod, { name: 'v', csi: { driver: 'd' } }).handle, /^csi-[0-9a-f]{64}$/)
  assert.equal(persistentSource({ ...persistent, spec: { hostPath: { path: '/' } } } as never, false), undefined)
})

test('access modes become what the driver knows of', () => {
  const modes = (mode: string, ...capabilities: NodeCapability[]): unknown =>
    volumeCapability({ ...source, accessModes: [mode] }, can(...capabilities)).accessMode
  assert.deepEqual(modes('ReadWriteOnce'), { mode: 1 })
  assert.deepEqual(modes('ReadWriteOnce', 'SINGLE_NODE_MULTI_WRITER'), { mode: 7 })
  assert.deepEqual(modes('ReadWriteOncePod'), { mode: 1 })
  assert.deepEqual(modes('ReadWriteOncePod', 'SINGLE_NODE_MULTI_WRITER'), { mode: 6 })
  assert.deepEqual(modes('ReadOnlyMany'), { mode: 3 })
  assert.deepEqual(modes('ReadWriteMany'), { mode: 5 })
})

test('the group is given by the driver where it can, else by the kubelet as the policy says', () => {
  const { accessType } = volumeCapability(source, can('VOLUME_MOUNT_GROUP'), pod)
  assert.deepEqual(accessType, {
    case: 'mount',
    value: { fsType: 'ext4', mountFlags: ['noatime'], volumeMountGroup: '5' },
  })
  const rows: readonly [Partial<CsiSource>, string, readonly NodeCapability[], boolean][] = [
    [{}, 'ReadWriteOnceWithFSType', [], true],
    [{}, 'ReadWriteOnceWithFSType', ['VOLUME_MOUNT_GROUP'], false],
    [{ fsType: '' }, 'ReadWriteOnceWithFSType', [], false],
    [{ accessModes: ['ReadWriteMany'] }, 'ReadWriteOnceWithFSType', [], false],
    [{ accessModes: ['ReadWriteMany'], fsType: '' }, 'File', [], true],
    [{ readOnly: true }, 'File', [], false],
    [{ isBlock: true }, 'File', [], false],
    [{}, 'None', [], false],
  ]
  for (const [change, policy, capabilities, expected] of rows)
    assert.equal(isGivenToGroup({ ...source, ...change }, policy, can(...capabilities)), expected, policy)
})

test('a driver keeps its place in the CSINode, and no limit is said where none is known', () => {
  const info = { nodeId: 'n1', maximumVolumes: 0, topology: { zone: 'a', rack: 'b' } }
  const first = withDriver([], 'one', info)
  assert.deepEqual(first, [{ name: 'one', nodeID: 'n1', topologyKeys: ['rack', 'zone'] }])
  const both = withDriver(withDriver(first, 'two', info), 'one', { ...info, maximumVolumes: 3 })
  assert.deepEqual(
    both.map(({ name, allocatable }) => [name, allocatable?.count]),
    [
      ['one', 3],
      ['two', undefined],
    ],
  )
})

test('the node grows a volume that is larger than its claim says, or that waits for it, and says so', () => {
  const claim = (status: object): PersistentVolumeClaim => ({ status }) as unknown as PersistentVolumeClaim
  const pending = { type: 'FileSystemResizePending', status: 'True' }
  const waiting = claim({ capacity: { storage: '1Gi' }, conditions: [pending, { type: 'Other', status: 'True' }] })
  assert.equal(growthWanted(source, claim({ capacity: { storage: '2Gi' } })), undefined)
  assert.equal(growthWanted(source, claim({ capacity: { storage: '1Gi' } })), 2 * 1024 ** 3)
  assert.equal(growthWanted(source, claim({ capacity: { storage: '2Gi' }, conditions: [pending] })), 2 * 1024 ** 3)
  assert.deepEqual(grownStatus(source, waiting), {
    capacity: { storage: '2Gi' },
    conditions: [{ type: 'Other', status: 'True' }],
  })
})
