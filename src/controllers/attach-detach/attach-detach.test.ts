import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachmentName } from '#api/storage/v1/attachment-name.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import { attachableVolumes, type AttachableVolume, type VolumeLookUp } from './attachable-volumes.ts'
import { decideNode, longestUnmountMs, multiAttachMessage, type NodeView } from './decide.ts'

const id = { driver: 'd', handle: 'h' }
const uniqueName = 'kubernetes.io/csi/d^h'
const pod = (name: string, namespace = 'ns', phase = 'Running'): Pod =>
  ({
    metadata: { name, namespace, uid: name },
    spec: { nodeName: 'n', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
    status: { phase },
  }) as unknown as Pod
const persistent = (accessModes: readonly string[], claimUid = 'claim'): PersistentVolume =>
  ({
    metadata: { name: 'pv' },
    spec: { accessModes, csi: { driver: 'd', volumeHandle: 'h' }, claimRef: { uid: claimUid } },
  }) as unknown as PersistentVolume
const lookUp = (volume: PersistentVolume, attachRequired?: boolean): VolumeLookUp => ({
  claim: () => ({ metadata: { uid: 'claim' }, spec: { volumeName: 'pv' } }) as unknown as PersistentVolumeClaim,
  volume: () => volume,
  driver: () => (attachRequired === undefined ? undefined : ({ spec: { attachRequired } } as never)),
})
const wantedBy = (
  pods: readonly Pod[],
  volume = persistent(['ReadWriteOnce']),
): ReadonlyMap<string, AttachableVolume> => attachableVolumes(pods, 'n', lookUp(volume))
const attachment = (nodeName: string, status: object = { attached: true }, metadata: object = {}): VolumeAttachment =>
  ({
    metadata: { name: attachmentName(id, nodeName), ...metadata },
    spec: { attacher: 'd', nodeName, source: { persistentVolumeName: 'pv' } },
    status,
  }) as unknown as VolumeAttachment
const node = (status: object = {}): Node => ({ metadata: { name: 'n' }, spec: {}, status }) as unknown as Node
const listed = { volumesAttached: [{ name: uniqueName, devicePath: '' }] }

function view(change: Partial<NodeView>): NodeView {
  return {
    node: node(),
    wanted: new Map(),
    attachments: [],
    elsewhere: () => [],
    unwantedSinceMs: () => 0,
    isNodeReady: true,
    isOutOfService: false,
    nowMs: 0,
    ...change,
  }
}
const here = [{ attachment: attachment('n'), uniqueName }]

test('what pods want attached: bound volumes of drivers that attach, of pods that have not ended', () => {
  const names = (pods: readonly Pod[], given: VolumeLookUp): readonly string[] =>
    [...attachableVolumes(pods, 'n', given).values()].map((each) => `${each.name} ${each.pods.length}`)
  const volume = persistent(['ReadWriteOnce'])
  assert.deepEqual(names([pod('a'), pod('b')], lookUp(volume)), ['pv 2'])
  assert.deepEqual(names([pod('a', 'ns', 'Succeeded')], lookUp(volume)), [])
  assert.deepEqual(names([pod('a')], lookUp(volume, false)), [])
  assert.deepEqual(names([pod('a')], lookUp(volume, true)), ['pv 1'])
  assert.deepEqual(names([pod('a')], lookUp(persistent(['ReadWriteOnce'], 'other'))), [])
})

test('a wanted volume is attached, and listed once it is', () => {
  const wanted = wantedBy([pod('a')])
  assert.deepEqual(
    decideNode(view({ wanted })).attach.map(({ name }) => name),
    ['pv'],
  )
  assert.deepEqual(decideNode(view({ wanted, node: undefined })).attach, [])
  assert.deepEqual(decideNode(view({ wanted, attachments: here })).volumesAttached, [uniqueName])
  assert.equal(decideNode(view({ wanted, attachments: here, node: node(listed) })).volumesAttached, undefined)
  const coming = [{ attachment: attachment('n', { attached: false }), uniqueName }]
  assert.equal(decideNode(view({ wanted, attachments: coming })).volumesAttached, undefined)
  const going = [{ attachment: attachment('n', { attached: true }, { deletionTimestamp: 'now' }), uniqueName }]
  assert.deepEqual(decideNode(view({ wanted, attachments: going, node: node(listed) })).volumesAttached, [])
})

test('an exclusive volume waits until other nodes have let go of it', () => {
  const elsewhere = (): readonly VolumeAttachment[] => [attachment('other')]
  const plan = decideNode(view({ wanted: wantedBy([pod('a')]), elsewhere }))
  assert.deepEqual([plan.attach.length, plan.blocked.length], [0, 1])
  const shared = decideNode(view({ wanted: wantedBy([pod('a')], persistent(['ReadWriteMany'])), elsewhere }))
  assert.deepEqual([shared.attach.length, shared.blocked.length], [1, 0])
})

test('an unwanted volume is detached once the node has let go, or cannot any more', () => {
  const used = node({ ...listed, volumesInUse: [uniqueName] })
  const rows: readonly [string, Partial<NodeView>, boolean][] = [
    ['let go', { node: node(listed) }, true],
    ['in use', { node: used }, false],
    ['in use for long on a node that is well', { node: used, nowMs: longestUnmountMs }, false],
    ['in use on a node that is ill', { node: used, isNodeReady: false, nowMs: longestUnmountMs - 1 }, false],
    ['in use for long on a node that is ill', { node: used, isNodeReady: false, nowMs: longestUnmountMs }, true],
    ['out of service', { node: used, isNodeReady: false, isOutOfService: true }, true],
    ['no node any more', { node: undefined, isNodeReady: false }, false],
    ['no node for long', { node: undefined, isNodeReady: false, nowMs: longestUnmountMs }, true],
  ]
  for (const [what, change, isDetached] of rows) {
    const plan = decideNode(view({ attachments: here, ...change }))
    assert.equal(plan.detach.length === 1, isDetached, what)
  }
  assert.deepEqual(decideNode(view({ attachments: here, node: node(listed) })).volumesAttached, [])
  assert.equal(decideNode(view({ attachments: here, node: used, nowMs: 1000 })).lookAgainAtMs, longestUnmountMs)
})

test('pods are told who has their volume, without the names of other namespaces', () => {
  const [volume] = [...wantedBy([pod('a')]).values()]
  assert.ok(volume)
  const start = 'Multi-Attach error for volume "pv" '
  const rows: readonly [readonly Pod[], string][] = [
    [[], "Volume is already exclusively attached to one node and can't be attached to another"],
    [[pod('x'), pod('y')], 'Volume is already used by pod(s) x, y'],
    [[pod('x'), pod('z', 'far')], 'Volume is already used by pod(s) x and 1 pod(s) in different namespaces'],
    [[pod('z', 'far')], 'Volume is already used by 1 pod(s) in different namespaces'],
  ]
  for (const [users, text] of rows) assert.equal(multiAttachMessage(volume, users), start + text)
})
