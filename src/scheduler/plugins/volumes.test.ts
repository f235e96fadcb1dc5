import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { decide } from '../cycle.ts'
import { PodInfo } from '../pod-info.ts'
import { defineProfile } from '../profile.ts'
import { reserve, unreserve } from '../reservation.ts'
import { WaitingPods } from '../waiting-pods.ts'
import { outcome, trialCache, trialNode, trialPod, type TrialObjects } from './plugin-trial.case.ts'

const nodes = [
  trialNode('a', { 'topology.kubernetes.io/zone': 'a' }),
  trialNode('b', { 'topology.kubernetes.io/zone': 'b' }),
]
const bindCompleted = { 'pv.kubernetes.io/bind-completed': 'yes' }
const inZone = (zone: string) => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: [zone] }] }],
  },
})

function claim(spec: object = {}, metadata: object = {}, status: object = {}) {
  const resources = { requests: { storage: '1Gi' } }
  return {
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default', uid: 'data', ...metadata },
    spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
    status,
  }
}

function volume(name: string, spec: object = {}, labels: object = {}) {
  const shape = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec }
  return { metadata: { name, labels }, spec: shape, status: { phase: 'Available' } }
}

const late = (provisioner = 'kubernetes.io/no-provisioner', more: object = {}) => ({
  metadata: { name: 'late' },
  provisioner,
  volumeBindingMode: 'WaitForFirstConsumer',
  ...more,
})

const boundClaim = claim({ volumeName: 'pv' }, { annotations: bindCompleted })
const lateClaim = claim({ storageClassName: 'late' })
const user = (name = 'p', more: object = {}): Pod =>
  trialPod(name, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }], ...more })

const none = (reason: string): string => `0/2 nodes are available: ${reason}.`
const conflict = "2 node(s) didn't find available persistent volumes to bind"

const toldBy = (storageCapacity: boolean) => ({ metadata: { name: 'csi' }, spec: { storageCapacity } })
const room = (zone: string, capacity: string, more: object = {}) => ({
  ...{ metadata: { name: `room-${zone}`, namespace: 'default' }, storageClassName: 'late', capacity },
  nodeTopology: { matchLabels: { 'topology.kubernetes.io/zone': zone } },
  ...more,
})
const withRoom = (csiCapacities: readonly object[], storageCapacity = true): TrialObjects => ({
  ...{ claims: [lateClaim], storageClasses: [late('csi')], csiDrivers: [toldBy(storageCapacity)], csiCapacities },
})

const cases: readonly (readonly [what: string, objects: TrialObjects, expected: string | RegExp])[] = [
  ['a driver that has room in one zone', withRoom([room('a', '500Mi'), room('b', '2Gi')]), 'b'],
  ['a driver without room', withRoom([room('a', '500Mi')]), none('2 node(s) did not have enough free storage')],
  [
    'a driver whose room is in small pieces',
    withRoom([room('a', '10Gi', { maximumVolumeSize: '512Mi' })]),
    none('2 node(s) did not have enough free storage'),
  ],
  ['a driver that does not tell of its room', withRoom([], false), /^[ab]$/],
  ['a missing claim', {}, none('persistentvolumeclaim "data" not found')],
  ['an unbound claim', { claims: [claim()] }, none('pod has unbound immediate PersistentVolumeClaims')],
  [
    'a claim under deletion',
    { claims: [claim({ volumeName: 'pv' }, { annotations: bindCompleted, deletionTimestamp: 'now' })] },
    none('persistentvolumeclaim "data" is being deleted'),
  ],
  [
    'a lost volume',
    { claims: [claim({ volumeName: 'pv' }, {}, { phase: 'Lost' })] },
    none('persistentvolumeclaim "data" bound to non-existent persistentvolume "pv"'),
  ],
  [
    'a volume that is not there',
    { claims: [boundClaim] },
    none('2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'),
  ],
  ['a bound volume', { claims: [boundClaim], volumes: [volume('pv')] }, /^[ab]$/],
  ['a volume of one node', { claims: [boundClaim], volumes: [volume('pv', { nodeAffinity: inZone('b') })] }, 'b'],
  [
    'a volume of no node',
    { claims: [boundClaim], volumes: [volume('pv', { nodeAffinity: inZone('c') })] },
    none("2 node(s) didn't match PersistentVolume's node affinity"),
  ],
  [
    'a volume with the label of a zone',
    { claims: [boundClaim], volumes: [volume('pv', {}, { 'topology.kubernetes.io/zone': 'b__c' })] },
    'b',
  ],
  [
    'a volume with the label of another zone',
    { claims: [boundClaim], volumes: [volume('pv', {}, { 'topology.kubernetes.io/zone': 'c' })] },
    none('2 node(s) had no available volume zone'),
  ],
  ['a late class without volumes', { claims: [lateClaim], storageClasses: [late()] }, none(conflict)],
  [
    'a late class with a volume on one node',
    {
      claims: [lateClaim],
      storageClasses: [late()],
      volumes: [volume('pv', { storageClassName: 'late', nodeAffinity: inZone('b') })],
    },
    'b',
  ],
  [
    'a late class whose volumes are too small or taken',
    {
      claims: [lateClaim],
      storageClasses: [late()],
      volumes: [
        volume('small', { storageClassName: 'late', capacity: { storage: '1Mi' } }),
        volume('taken', { storageClassName: 'late', claimRef: { name: 'other', namespace: 'default' } }),
      ],
    },
    none(conflict),
  ],
  ['a late class that provisions', { claims: [lateClaim], storageClasses: [late('csi.example.com')] }, /^[ab]$/],
  [
    'a late class that provisions in one zone',
    {
      claims: [lateClaim],
      storageClasses: [
        late('csi.example.com', {
          allowedTopologies: [{ matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['b'] }] }],
        }),
      ],
    },
    'b',
  ],
  [
    'a claim whose volume is being made for another node',
    {
      claims: [claim({ storageClassName: 'late' }, { annotations: { 'volume.kubernetes.io/selected-node': 'b' } })],
      storageClasses: [late('csi.example.com')],
    },
    'b',
  ],
]

for (const [what, objects, expected] of cases) {
  test(`volumes: a pod with ${what}`, () => {
    const found = outcome(user(), trialCache(nodes, objects))
    if (typeof expected === 'string') assert.equal(found, expected)
    else assert.match(found, expected)
  })
}

test('volumes: ReadWriteOncePod keeps a second pod waiting, wherever', () => {
  const exclusive = claim({ volumeName: 'pv', accessModes: ['ReadWriteOncePod'] }, { annotations: bindCompleted })
  const cache = trialCache(nodes, { claims: [exclusive], volumes: [volume('pv')] })
  const first = user('first')
  cache.placePod(first, 'a')
  const reason = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
  assert.equal(outcome(user('second'), cache), none(`2 ${reason}`))
  cache.removePod('first')
  assert.match(outcome(user('second'), cache), /^[ab]$/)
})

test('volumes: a node takes as many volumes of a driver as its CSINode says', () => {
  const csi = (volumeHandle: string) => ({ csi: { driver: 'csi.example.com', volumeHandle } })
  const second = claim({ volumeName: 'pv2' }, { name: 'more', annotations: bindCompleted })
  const drivers = [{ name: 'csi.example.com', nodeID: 'x', allocatable: { count: 1 } }]
  const cache = trialCache(nodes.slice(0, 1), {
    claims: [boundClaim, second],
    volumes: [volume('pv', csi('1')), volume('pv2', csi('2'))],
    csiNodes: [{ metadata: { name: 'a' }, spec: { drivers } }],
  })
  cache.placePod(user('first'), 'a')
  assert.equal(outcome(user('same volume'), cache), 'a')
  const other = trialPod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'more' } }] })
  assert.equal(outcome(other, cache), '0/1 nodes are available: 1 node(s) exceed max volume count.')
})

test('volumes: what is still attached takes a place, though its pod is gone', () => {
  const csi = (volumeHandle: string) => ({ csi: { driver: 'csi.example.com', volumeHandle } })
  const drivers = [{ name: 'csi.example.com', nodeID: 'x', allocatable: { count: 1 } }]
  const attached = (persistentVolumeName: string) => {
    const spec = { attacher: 'csi.example.com', nodeName: 'a', source: { persistentVolumeName } }
    return trialCache(nodes.slice(0, 1), {
      claims: [boundClaim],
      volumes: [volume('pv', csi('1')), volume('pv2', csi('2'))],
      csiNodes: [{ metadata: { name: 'a' }, spec: { drivers } }],
      attachments: [{ metadata: { name: 'x' }, spec }],
    })
  }
  assert.equal(outcome(user(), attached('pv')), 'a')
  assert.equal(outcome(user(), attached('pv2')), '0/1 nodes are available: 1 node(s) exceed max volume count.')
})

test('volumes: the claim of an ephemeral volume must be made for the pod', () => {
  const pod = trialPod('p', { volumes: [{ name: 'v', ephemeral: {} }] })
  const waiting = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'
  assert.equal(outcome(pod, trialCache(nodes)), none(waiting))
  const foreign = claim({ volumeName: 'pv' }, { name: 'p-v', annotations: bindCompleted })
  const message = 'PVC default/p-v was not created for pod default/p (pod is not owner)'
  assert.equal(outcome(pod, trialCache(nodes, { claims: [foreign] })), none(message))
})

const gce = (readOnly: boolean) => ({ gcePersistentDisk: { pdName: 'disk', readOnly } })
const rbd = (...monitors: string[]) => ({ rbd: { monitors, image: 'i', pool: 'p' } })
const sharing: readonly (readonly [what: string, placed: object, subject: object, shares: boolean])[] = [
  ['two writers of a GCE disk', gce(false), gce(false), false],
  ['two readers of a GCE disk', gce(true), gce(true), true],
  [
    'two readers of an EBS volume',
    { awsElasticBlockStore: { volumeID: 'v' } },
    { awsElasticBlockStore: { volumeID: 'v' } },
    false,
  ],
  ['two iSCSI volumes', { iscsi: { iqn: 'a' } }, { iscsi: { iqn: 'b' } }, true],
  ['an RBD image by one monitor of two', rbd('m1', 'm2'), rbd('m2'), false],
  ['an RBD image of another cluster', rbd('m1'), rbd('m3'), true],
]

for (const [what, placed, subject, shares] of sharing) {
  test(`a node ${shares ? 'serves' : 'does not serve'} ${what}`, () => {
    const podOf = (name: string, volume: object): Pod =>
      trialPod(name, { volumes: [{ name: 'v', ...volume } as never] })
    const cache = trialCache([trialNode('a')])
    cache.placePod(podOf('first', placed), 'a')
    const found = outcome(podOf('second', subject), cache)
    assert.equal(found, shares ? 'a' : '0/1 nodes are available: 1 node(s) had no available disk.')
  })
}

test('a volume that a pod is about to get is not given to another, and free again when it is not bound', () => {
  const volumes = [volume('pv', { storageClassName: 'late' })]
  const other = { ...lateClaim, metadata: { ...lateClaim.metadata, name: 'other', uid: 'other' } }
  const cache = trialCache([trialNode('a')], { claims: [lateClaim, other], volumes, storageClasses: [late()] })
  const profile = defineProfile()
  const place = (claimName: string) => {
    const pod = trialPod(claimName, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] })
    return decide(new PodInfo(pod), cache, { profile, random: seededRandom(1), startAt: 0 })
  }
  const first = place('data')
  assert.ok(first.type === 'place')
  reserve(first, new WaitingPods(manualClock()))
  assert.equal(place('other').type, 'reject')
  unreserve(first)
  assert.equal(place('other').type, 'place')
})
