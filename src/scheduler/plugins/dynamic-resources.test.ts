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
  const devices = cache.assumedAllocations
    .entries()
    .map(([claim, allocation]) => `${claim}: ${shown(allocation)}`)
    .join('; ')
  return { message: decision.node.name, cache, decision, devices }
}

function shown({ devices }: AllocationResult): string {
  const amounts = (consumed: Readonly<Record<string, string>> | undefined): string =>
    consumed
      ? `{${Object.entries(consumed)
          .map((each) => each.join('='))
          .join()}}`
      : ''
  return (devices?.results ?? [])
    .map(({ request, device, consumedCapacity }) => `${request}=${device}${amounts(consumedCapacity)}`)
    .join(' ')
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

const shared = (consumedCapacity: Record<string, string>) => ({ shareID: 'other', consumedCapacity })
const binding = { bindingConditions: ['attached'], bindingFailureConditions: ['broken'] }

const partition = (name: string, slots: string): Device =>
  gpu(name, { consumesCounters: [{ counterSet: 'gpu-0', counters: { slots: { value: slots } } }] })
const partitions = {
  devices: [partition('whole', '4'), partition('half-a', '2'), partition('half-b', '2')],
  sharedCounters: [{ name: 'gpu-0', counters: { slots: { value: '4' } } }],
}

const share = (name: string, over: Partial<Device> = {}): Device =>
  gpu(name, {
    allowMultipleAllocations: true,
    capacity: {
      memory: { value: '40Gi', requestPolicy: { default: '10Gi', validRange: { min: '10Gi', step: '5Gi' } } },
      slots: { value: '4', requestPolicy: { default: '1', validValues: ['1', '2'] } },
    },
    ...over,
  })
const shares = [sliceOf('n1', [share('gpu-0')])]
const asking = (requests: Record<string, string>) => claimOf('c', [exactly({ capacity: { requests } })])

const cases: readonly Case[] = [
  {
    what: 'shares of one device, as the policy rounds them',
    claims: [claimOf('c', [exactly({ capacity: { requests: { memory: '12Gi' } } }), exactly({ count: 2 }, 'rest')])],
    slices: shares,
    expected:
      'default/c: gpu=gpu-0{memory=15Gi,slots=1} rest=gpu-0{memory=10Gi,slots=1} rest=gpu-0{memory=10Gi,slots=1}',
  },
  {
    what: 'more than is left of a shared device',
    claims: [asking({ [`${driver}/memory`]: '31Gi' }), claimed('gpu-0', shared({ memory: '10Gi', slots: '1' }))],
    slices: shares,
    expected: none,
  },
  {
    what: 'what is left of a shared device',
    claims: [asking({ memory: '25Gi' }), claimed('gpu-0', shared({ memory: '15Gi', slots: '2' }))],
    slices: shares,
    expected: 'default/c: gpu=gpu-0{memory=25Gi,slots=1}',
  },
  { what: 'more than the policy allows', claims: [asking({ slots: '3' })], slices: shares, expected: none },
  { what: 'a capacity that there is not', claims: [asking({ bandwidth: '1' })], slices: shares, expected: none },
  {
    what: 'a whole device that is large enough',
    claims: [asking({ memory: '64Gi' })],
    expected: 'default/c: gpu=gpu-1',
  },
  {
    what: 'shares of different devices',
    claims: [claimOf('c', [exactly({ count: 2 })], { constraints: [{ distinctAttribute: `${driver}/index` }] })],
    slices: [sliceOf('n1', [share('gpu-0'), share('gpu-1')])],
    expected: 'default/c: gpu=gpu-0{memory=10Gi,slots=1} gpu=gpu-1{memory=10Gi,slots=1}',
  },
  {
    what: 'the counters of a shared device, which it takes once',
    claims: [claimOf('c', [exactly({ count: 3 })])],
    slices: [
      sliceOf(
        'n1',
        [share('gpu-0', { consumesCounters: [{ counterSet: 'gpu-0', counters: { slots: { value: '4' } } }] })],
        {
          sharedCounters: partitions.sharedCounters,
        },
      ),
    ],
    expected: 'default/c: gpu=gpu-0{memory=10Gi,slots=1} gpu=gpu-0{memory=10Gi,slots=1} gpu=gpu-0{memory=10Gi,slots=1}',
  },
  {
    what: 'devices that are ready before those that take time',
    claims: [claimOf('c', [exactly()])],
    slices: [sliceOf('n1', [gpu('gpu-0', binding), gpu('gpu-1')])],
    expected: 'default/c: gpu=gpu-1',
  },
  {
    what: 'all devices, one of which is tainted',
    claims: [claimOf('c', [exactly({ allocationMode: 'All' })])],
    slices: [sliceOf('n1', [gpu('gpu-0'), gpu('gpu-1', { taints: [{ key: 'broken', effect: 'NoSchedule' }] })])],
    expected: none,
  },
  {
    what: 'all devices, of which some are not known yet',
    claims: [claimOf('c', [exactly({ allocationMode: 'All' })])],
    slices: [sliceOf('n1', two, { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })],
    expected: `0/1 nodes are available: 1 claim default/c, request gpu: asks for all devices, but resource pool ${driver}/n1 is currently being updated.`,
  },

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

test('the node where an earlier alternative can be had is preferred', () => {
  const large = {
    name: 'large',
    deviceClassName: 'gpu',
    selectors: cel(`device.attributes["${driver}"].model == "h100"`),
  }
  const firstAvailable = [large, { name: 'small', deviceClassName: 'gpu' }]
  const nodes = [trialNode('a'), trialNode('b'), trialNode('c')]
  const slices = [sliceOf('a', [gpu('gpu-0')]), sliceOf('b', two), sliceOf('c', [gpu('gpu-0')])]
  const claim = claimOf('c', [{ name: 'gpu', firstAvailable }])
  const { message, devices } = place(podWith('c'), { resourceClaims: [claim], resourceSlices: slices }, nodes)
  assert.deepEqual([message, devices], ['b', 'default/c: gpu/large=gpu-1'])
})

test('a device that takes time says so in the claim, and binds it to the node where the driver wants that', () => {
  const slice = sliceOf('n1', [gpu('gpu-0', { ...binding, bindsToNode: true })], {
    nodeName: undefined,
    allNodes: true,
  })
  const { cache } = place(podWith('c'), { resourceClaims: [claimOf('c', [exactly()])], resourceSlices: [slice] })
  const { devices, nodeSelector } = cache.assumedAllocations.get('default/c') ?? {}
  assert.deepEqual(devices?.results?.[0]?.bindingConditions, ['attached'])
  assert.deepEqual(devices?.results?.[0]?.bindingFailureConditions, ['broken'])
  assert.deepEqual(nodeSelector?.nodeSelectorTerms[0]?.matchFields?.[0]?.values, ['n1'])
})

const requesting = (requests: Record<string, string>, spec: Partial<Pod['spec']> = {}): Pod =>
  trialPod('p', { containers: [{ name: 'c', resources: { requests } }], ...spec })

test('devices of a class stand for an extended resource where the node has none of it', () => {
  const classes = [
    classOf('gpu', { extendedResourceName: 'example.com/gpu', selectors: cel(`device.driver == "${driver}"`) }),
  ]
  const plugged = {
    ...trialNode('plugged'),
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10', 'example.com/gpu': '1' } },
  }
  const objects = { deviceClasses: classes, resourceSlices: [sliceOf('n1', two)] }
  const onNode = place(requesting({ 'example.com/gpu': '2' }), objects)
  assert.equal(onNode.message, 'n1')
  assert.equal(
    onNode.devices,
    'default/<extended-resources>/p/p: container-0-request-0=gpu-0 container-0-request-0=gpu-1',
  )
  assert.equal(place(requesting({ 'deviceclass.resource.kubernetes.io/gpu': '1' }), objects).message, 'n1')
  const byPlugin = place(requesting({ 'example.com/gpu': '1' }), { deviceClasses: classes }, [plugged as never])
  assert.deepEqual([byPlugin.message, byPlugin.devices], ['plugged', ''])
  assert.match(place(requesting({ 'example.com/gpu': '3' }), objects).message, /1 cannot allocate all claims/)
  assert.match(place(requesting({ 'example.com/nic': '1' }), objects).message, /1 Insufficient example.com\/nic/)
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }]
  const annotations = { 'resource.kubernetes.io/extended-resource-claim': 'true' }
  const stale = { metadata: { name: 'x', namespace: 'default', uid: 'x', annotations, ownerReferences }, spec: {} }
  const again = place(requesting({ 'example.com/gpu': '1' }), { ...objects, resourceClaims: [stale] })
  assert.match(again.message, /1 cannot schedule extended resource claim/)
})
