import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type {
  AllocationResult,
  Device,
  DeviceClass,
  DeviceRequest,
  ResourceClaim,
  ResourceSlice,
} from '#api/types/resource.v1.ts'
import { seededRandom } from '#lib/random.ts'
import { decide } from '../cycle.ts'
import { PodInfo } from '../pod-info.ts'
import { defineProfile } from '../profile.ts'
import { reserve, unreserve } from '../reservation.ts'
import { WaitingPods } from '../waiting-pods.ts'
import { manualClock } from '#lib/clock.ts'
import { trialCache, trialNode, trialPod, type TrialObjects } from './plugin-trial.case.ts'

const driver = 'gpu.example.com'

function gpu(name: string, over: Partial<Device> = {}): Device {
  const attributes = { model: { string: 'a100' }, 'gpu.example.com/index': { int: Number(name.replace(/\D/g, '')) } }
  return { name, attributes, capacity: { memory: { value: '40Gi' } }, ...over }
}

function sliceOf(
  nodeName: string,
  devices: readonly Device[],
  spec: Partial<ResourceSlice['spec']> = {},
): ResourceSlice {
  const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 }
  return { metadata: { name: `${nodeName}-gpu` }, spec: { driver, nodeName, pool, devices, ...spec } } as ResourceSlice
}

const classOf = (name: string, spec: Partial<DeviceClass['spec']> = {}): DeviceClass =>
  ({ metadata: { name }, spec }) as DeviceClass

type Requests = readonly DeviceRequest[]
const exactly = (over: Partial<NonNullable<DeviceRequest['exactly']>> = {}, name = 'gpu'): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', ...over },
})

const cel = (expression: string) => [{ cel: { expression } }]

function claimOf(name: string, requests: Requests, over: Partial<NonNullable<ResourceClaim['spec']['devices']>> = {}) {
  return {
    metadata: { name, namespace: 'default', uid: name },
    spec: { devices: { requests, ...over } },
  } as ResourceClaim
}

const podWith = (...claims: readonly string[]): Pod =>
  trialPod('p', { resourceClaims: claims.map((name) => ({ name, resourceClaimName: name })) })

const profile = defineProfile()

/** Where the pod goes, and what its claims get; or why it goes nowhere. */
function place(pod: Pod, objects: TrialObjects, nodes: readonly Node[] = [trialNode('n1')]) {
  const cache = trialCache(nodes, { deviceClasses: [classOf('gpu'), classOf('nic')], ...objects })
  const decision = decide(new PodInfo(pod), cache, { profile, random: seededRandom(1), startAt: 0 })
  if (decision.type === 'reject') return { message: decision.message, cache, decision: undefined, devices: '' }
  reserve(decision, new WaitingPods(manualClock()))
  const devices = [...cache.assumedAllocations]
    .map(([claim, allocation]) => `${claim}: ${shown(allocation)}`)
    .join('; ')
  return { message: decision.node.name, cache, decision, devices }
}

function shown({ devices }: AllocationResult): string {
  return (devices?.results ?? []).map(({ request, device }) => `${request}=${device}`).join(' ')
}

const two = [
  gpu('gpu-0'),
  gpu('gpu-1', { attributes: { model: { string: 'h100' } }, capacity: { memory: { value: '80Gi' } } }),
]
const none = '0/1 nodes are available: 1 cannot allocate all claims.'

interface Case {
  readonly what: string
  readonly claims: readonly ResourceClaim[]
  readonly slices?: readonly ResourceSlice[]
  readonly classes?: readonly DeviceClass[]
  /** What the claims get, or the message. */
  readonly expected: string
}

const claimed = (device: string, over: object = {}): ResourceClaim => {
  const results = [{ request: 'gpu', driver, pool: 'n1', device, ...over }]
  return { ...claimOf('other', [exactly()]), status: { allocation: { devices: { results } } } }
}

const partition = (name: string, slots: string): Device =>
  gpu(name, { consumesCounters: [{ counterSet: 'gpu-0', counters: { slots: { value: slots } } }] })
const partitions = {
  devices: [partition('whole', '4'), partition('half-a', '2'), partition('half-b', '2')],
  sharedCounters: [{ name: 'gpu-0', counters: { slots: { value: '4' } } }],
}

const cases: readonly Case[] = [
  { what: 'one device', claims: [claimOf('c', [exactly()])], expected: 'default/c: gpu=gpu-0' },
  { what: 'two devices', claims: [claimOf('c', [exactly({ count: 2 })])], expected: 'default/c: gpu=gpu-0 gpu=gpu-1' },
  { what: 'more than there are', claims: [claimOf('c', [exactly({ count: 3 })])], expected: none },
  {
    what: 'all devices',
    claims: [claimOf('c', [exactly({ allocationMode: 'All' })])],
    expected: 'default/c: gpu=gpu-0 gpu=gpu-1',
  },
  {
    what: 'all devices, one of which is taken',
    claims: [claimOf('c', [exactly({ allocationMode: 'All' })]), claimed('gpu-1')],
    expected: none,
  },
  {
    what: 'a selector on an attribute',
    claims: [claimOf('c', [exactly({ selectors: cel(`device.attributes["${driver}"].model == "h100"`) })])],
    expected: 'default/c: gpu=gpu-1',
  },
  {
    what: 'a selector on capacity',
    claims: [
      claimOf('c', [
        exactly({ selectors: cel(`device.capacity["${driver}"].memory.compareTo(quantity("64Gi")) >= 0`) }),
      ]),
    ],
    expected: 'default/c: gpu=gpu-1',
  },
  {
    what: 'a selector of the class',
    claims: [claimOf('c', [exactly()])],
    classes: [classOf('gpu', { selectors: cel('device.driver == "other.example.com"') })],
    expected: none,
  },
  {
    what: 'a selector that fails',
    claims: [claimOf('c', [exactly({ selectors: cel(`device.attributes["${driver}"].colour == "red"`) })])],
    expected: '0/1 nodes are available: 1 claim default/c: selector #0: CEL runtime error: no such key: colour.',
  },
  {
    what: 'a class that does not exist',
    claims: [claimOf('c', [exactly({ deviceClassName: 'tpu' })])],
    expected: '0/1 nodes are available: request gpu: device class tpu does not exist.',
  },
  {
    what: 'a device that another claim has',
    claims: [claimOf('c', [exactly()]), claimed('gpu-0')],
    expected: 'default/c: gpu=gpu-1',
  },
  {
    what: 'a device that an administrator looks at, which others may have',
    claims: [claimOf('c', [exactly({ count: 2 })]), claimed('gpu-0', { adminAccess: true })],
    expected: 'default/c: gpu=gpu-0 gpu=gpu-1',
  },
  {
    what: 'an administrator, who may look at devices in use',
    claims: [claimOf('c', [exactly({ adminAccess: true, allocationMode: 'All' })]), claimed('gpu-0')],
    expected: 'default/c: gpu=gpu-0 gpu=gpu-1',
  },
  {
    what: 'the first alternative that can be had',
    claims: [
      claimOf('c', [
        {
          name: 'gpu',
          firstAvailable: [
            { name: 'large', deviceClassName: 'gpu', count: 3 },
            { name: 'small', deviceClassName: 'gpu' },
          ],
        },
      ]),
    ],
    expected: 'default/c: gpu/small=gpu-0',
  },
  {
    what: 'a request that must leave the only suitable device to a later one',
    claims: [
      claimOf('c', [exactly(), exactly({ selectors: cel(`device.attributes["${driver}"].model == "a100"`) }, 'old')]),
    ],
    expected: 'default/c: gpu=gpu-1 old=gpu-0',
  },
  {
    what: 'devices that must be of one model',
    claims: [claimOf('c', [exactly({ count: 2 })], { constraints: [{ matchAttribute: `${driver}/model` }] })],
    expected: none,
  },
  {
    what: 'devices that must be of different models',
    claims: [claimOf('c', [exactly({ count: 2 })], { constraints: [{ distinctAttribute: `${driver}/model` }] })],
    expected: 'default/c: gpu=gpu-0 gpu=gpu-1',
  },
  {
    what: 'a tainted device',
    claims: [claimOf('c', [exactly()])],
    slices: [sliceOf('n1', [gpu('gpu-0', { taints: [{ key: 'broken', effect: 'NoSchedule' }] })])],
    expected: none,
  },
  {
    what: 'a tainted device that is tolerated',
    claims: [claimOf('c', [exactly({ tolerations: [{ key: 'broken', operator: 'Exists' }] })])],
    slices: [sliceOf('n1', [gpu('gpu-0', { taints: [{ key: 'broken', effect: 'NoSchedule' }] })])],
    expected: 'default/c: gpu=gpu-0',
  },
  {
    what: 'parts of a device that is in use as a whole',
    claims: [claimOf('c', [exactly()]), claimed('whole')],
    slices: [sliceOf('n1', partitions.devices, partitions)],
    expected: none,
  },
  {
    what: 'a second part of a device',
    claims: [claimOf('c', [exactly()]), claimed('half-a')],
    slices: [sliceOf('n1', partitions.devices, partitions)],
    expected: 'default/c: gpu=half-b',
  },
  {
    what: 'a pool of which a slice is missing',
    claims: [claimOf('c', [exactly()])],
    slices: [sliceOf('n1', two, { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })],
    expected: none,
  },
  {
    what: 'an older generation of a pool',
    claims: [claimOf('c', [exactly({ count: 2 })])],
    slices: [
      sliceOf('n1', two),
      sliceOf('n1', [gpu('gpu-9')], { pool: { name: 'n1', generation: 2, resourceSliceCount: 1 } }),
    ],
    expected: none,
  },
  {
    what: 'devices of another node',
    claims: [claimOf('c', [exactly()])],
    slices: [sliceOf('n2', two)],
    expected: none,
  },
  {
    what: 'two claims at once',
    claims: [claimOf('c', [exactly()]), claimOf('d', [exactly()])],
    expected: 'default/c: gpu=gpu-0; default/d: gpu=gpu-1',
  },
]

for (const { what, claims, slices, classes, expected } of cases) {
  test(`resource claims: ${what}`, () => {
    const own = claims.filter(({ metadata }) => metadata.name !== 'other').map(({ metadata }) => metadata.name)
    const { message, devices } = place(podWith(...own), {
      resourceClaims: claims,
      resourceSlices: slices ?? [sliceOf('n1', two)],
      ...(classes && { deviceClasses: classes }),
    })
    assert.equal(devices === '' ? message : devices, expected)
  })
}

test('an allocation names the node and carries the configuration of class and claim', () => {
  const opaque = (parameters: string) => ({ opaque: { driver, parameters: { parameters } } })
  const claim = claimOf('c', [exactly()], {
    config: [
      opaque('for all'),
      { ...opaque('for another'), requests: ['nic'] },
      { ...opaque('own'), requests: ['gpu'] },
    ],
  })
  const { cache } = place(podWith('c'), {
    resourceClaims: [claim],
    resourceSlices: [sliceOf('n1', two)],
    deviceClasses: [classOf('gpu', { config: [opaque('of the class')] })],
  })
  assert.deepEqual(cache.assumedAllocations.get('default/c'), {
    devices: {
      results: [{ request: 'gpu', driver, pool: 'n1', device: 'gpu-0' }],
      config: [
        { ...opaque('of the class'), source: 'FromClass', requests: ['gpu'] },
        { ...opaque('for all'), source: 'FromClaim' },
        { ...opaque('own'), source: 'FromClaim', requests: ['gpu'] },
      ],
    },
    nodeSelector: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
    },
  })
})

test('a claim that has devices binds its pods to where these are, and shares them', () => {
  const where = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['b'] }] }] }
  const claim = { ...claimOf('c', [exactly()]), status: { allocation: { nodeSelector: where } } }
  const nodes = [trialNode('a', { zone: 'a' }), trialNode('b', { zone: 'b' })]
  assert.equal(place(podWith('c'), { resourceClaims: [claim] }, nodes).message, 'b')
  const consumers = Array.from({ length: 256 }, (_, index) => ({
    resource: 'pods',
    name: `p${index}`,
    uid: `u${index}`,
  }))
  const full = { ...claim, status: { ...claim.status, reservedFor: consumers } }
  assert.match(place(podWith('c'), { resourceClaims: [full] }, nodes).message, /resourceclaim in use/)
})

test('devices that a pod is about to get are not given twice, and free again when it is not bound', () => {
  const objects = {
    resourceClaims: [claimOf('c', [exactly()]), claimOf('d', [exactly()])],
    resourceSlices: [sliceOf('n1', [gpu('gpu-0')])],
  }
  const { cache, decision } = place(podWith('c'), objects)
  const retry = () => decide(new PodInfo(podWith('d')), cache, { profile, random: seededRandom(1), startAt: 0 })
  assert.equal(retry().type, 'reject')
  assert.ok(decision)
  unreserve(decision)
  assert.equal(retry().type, 'place')
})

test('a pod waits for the claim that is made for it from a template', () => {
  const pod = trialPod('p', { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }] })
  const waiting = (subject: Pod, claims: readonly ResourceClaim[] = []): string =>
    place(subject, { resourceClaims: claims, resourceSlices: [sliceOf('n1', two)] }).message
  assert.match(waiting(pod), /pod "default\/p": ResourceClaim not created yet/)
  const told = { ...pod, status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'p-gpu' }] } } as Pod
  assert.match(waiting(told), /resourceclaim "p-gpu" not found/)
  const claim = claimOf('p-gpu', [exactly()])
  assert.match(waiting(told, [claim]), /was not created for Pod default\/p \(Pod is not owner\)/)
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }]
  const owned = { ...claim, metadata: { ...claim.metadata, ownerReferences } } as ResourceClaim
  assert.equal(waiting(told, [owned]), 'n1')
})
