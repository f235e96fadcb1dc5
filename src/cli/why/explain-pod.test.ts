import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import type { ContainerState, Event, Node, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import { explainPod } from './explain-pod.ts'
import { formatReport } from './format-report.ts'
import type { ClaimFacts, DeviceClaimFacts, PodFacts } from './pod-facts.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')
const minutesAgo = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString()

interface PodParts {
  readonly metadata?: Partial<Pod['metadata']>
  readonly spec?: Partial<Pod['spec']>
  readonly status?: Partial<NonNullable<Pod['status']>>
}

function podOf({ metadata, spec, status }: PodParts): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', creationTimestamp: minutesAgo(3), ...metadata },
    spec: { containers: [{ name: 'main', image: 'shop/web:2' }], ...spec },
    status: { phase: 'Pending', ...status },
  } as Pod
}

const nodeOf = (status: 'True' | 'Unknown'): Node =>
  ({
    metadata: { name: 'n1' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status, message: 'it fell silent' }] },
  }) as unknown as Node

const claimOf = (phase: string, storageClassName?: string): PersistentVolumeClaim =>
  ({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName },
    status: { phase },
  }) as unknown as PersistentVolumeClaim

const claimFacts = (claim: PersistentVolumeClaim, over: Partial<ClaimFacts> = {}): ClaimFacts => ({
  ...{ claim, isClassMissing: false, waitsForPod: false },
  ...over,
})

const event = (reason: string, message: string): Event => ({ reason, message, type: 'Warning' }) as Event

const state = (main: ContainerState, more: object = {}) => ({
  containerStatuses: [
    { name: 'main', image: 'shop/web:2', imageID: '', ready: false, restartCount: 4, state: main, ...more },
  ],
})

const waits = (reason: string, message?: string): ContainerState => ({ waiting: { reason, message } })

const explanation: SchedulingExplanation = {
  ...{ pod: 'shop/web', uid: 'u', decidedMs: nowMs, counts: [], rejectedNodes: 2, feasibleNodes: 0 },
  message: '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).',
  nodes: [
    {
      ...{ node: 'n3', plugin: 'NodeResourcesFit', reason: 'Insufficient cpu' },
      missing: [{ resource: 'cpu', requested: 500, free: 300 }],
      remedy: 'free 200m cpu on n3',
    },
    {
      ...{ node: 'n1', plugin: 'TaintToleration', reason: 'node(s) had untolerated taint(s)' },
      remedy: 'remove the taint x:NoSchedule from n1, or tolerate it',
    },
  ],
}

interface Case {
  readonly what: string
  readonly pod: PodParts
  readonly facts?: Partial<PodFacts>
  readonly reason: string
  readonly message: RegExp
  readonly remedy?: RegExp
}

const bound = { spec: { nodeName: 'n1' } }
const claimed = { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } }

const deviceClaim = (over: Partial<DeviceClaimFacts>): DeviceClaimFacts => ({
  ...{ reference: 'gpu', templateName: 'one-gpu', claimName: 'mine' },
  ...{ isClaimMissing: true, isTemplateMissing: false, missingClasses: [] },
  ...over,
})

const cases: readonly Case[] = [
  {
    what: 'no node has room',
    pod: {},
    facts: { explanation },
    reason: 'Unschedulable',
    message: /^0\/2 nodes are available: 1 Insufficient cpu/,
    remedy: /^free 200m cpu on n3$/,
  },
  {
    what: 'the scheduler cannot be asked',
    pod: { status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }] } },
    reason: 'Unschedulable',
    message: /^0\/1 nodes are available$/,
  },
  {
    what: 'gates',
    pod: { spec: { schedulingGates: [{ name: 'example.com/quota' }] } },
    reason: 'SchedulingGates',
    message: /scheduling gates example.com\/quota/,
    remedy: /remove it from spec.schedulingGates/,
  },
  {
    what: 'a scheduler that is not there',
    pod: { spec: { schedulerName: 'mine' } },
    reason: 'NoScheduler',
    message: /no scheduler called mine/,
  },
  {
    what: 'a claim that does not exist',
    pod: claimed,
    facts: { claims: new Map([['data', undefined]]) },
    reason: 'MissingClaim',
    message: /persistentvolumeclaim "data" does not exist/,
    remedy: /create persistentvolumeclaim "data"/,
  },
  {
    what: 'a template for its devices that does not exist',
    pod: {},
    facts: { deviceClaims: [deviceClaim({ isTemplateMissing: true, claimName: undefined })] },
    reason: 'MissingTemplate',
    message: /its claim gpu is made from resourceclaimtemplate "one-gpu", which does not exist/,
    remedy: /create resourceclaimtemplate "one-gpu"/,
  },
  {
    what: 'a claim for devices that does not exist',
    pod: {},
    facts: { deviceClaims: [deviceClaim({})] },
    reason: 'MissingClaim',
    message: /resourceclaim "mine" does not exist/,
    remedy: /create resourceclaim "mine"/,
  },
  {
    what: 'a class of devices that does not exist',
    pod: {},
    facts: { deviceClaims: [deviceClaim({ isClaimMissing: false, missingClasses: ['gpu'] })] },
    reason: 'MissingDeviceClass',
    message: /resourceclaim "mine" asks for devices of the class "gpu", which does not exist/,
    remedy: /create the device class "gpu"/,
  },
  {
    what: 'a driver that does not make its devices ready',
    pod: bound,
    facts: { events: [event('FailedPrepareDynamicResources', 'DRA driver gpu.example.com is not registered')] },
    reason: 'Devices',
    message: /its devices cannot be made ready: DRA driver gpu.example.com is not registered/,
  },
  {
    what: 'a claim without a volume',
    pod: claimed,
    facts: { claims: new Map([['data', claimFacts(claimOf('Pending', 'fast'))]]) },
    reason: 'UnboundClaim',
    message: /no volume of class "fast" serves it \(1Gi ReadWriteOnce\)/,
  },
  {
    what: 'a storage class that does not exist',
    pod: claimed,
    facts: { claims: new Map([['data', claimFacts(claimOf('Pending', 'fast'), { isClassMissing: true })]]) },
    reason: 'MissingStorageClass',
    message: /wants the storage class "fast", which does not exist/,
  },
  {
    what: 'finalizers',
    pod: { metadata: { deletionTimestamp: minutesAgo(1), finalizers: ['example.com/stay'] } },
    reason: 'Finalizers',
    message: /held by its finalizers example.com\/stay/,
  },
  {
    what: 'a pod that cannot end as its node is silent',
    pod: { ...bound, metadata: { deletionTimestamp: minutesAgo(2) } },
    facts: { node: nodeOf('Unknown') },
    reason: 'NodeGone',
    message: /its node n1 is not ready and cannot say so/,
    remedy: /bring n1 back/,
  },
  {
    what: 'a node that is not ready',
    pod: bound,
    facts: { node: nodeOf('Unknown') },
    reason: 'NodeNotReady',
    message: /its node n1 is not ready: it fell silent/,
  },
  {
    what: 'a node that is gone',
    pod: bound,
    facts: { node: undefined },
    reason: 'NodeGone',
    message: /its node n1 does not exist/,
  },
  {
    what: 'a ConfigMap that does not exist',
    pod: bound,
    facts: { missing: ['configmap "settings"'] },
    reason: 'MissingReference',
    message: /refers to configmap "settings", which does not exist/,
  },
  {
    what: 'a volume that cannot be mounted',
    pod: bound,
    facts: { events: [event('FailedMount', 'no such device')] },
    reason: 'Volumes',
    message: /cannot be mounted: no such device/,
  },
  {
    what: 'a sandbox that cannot be made',
    pod: bound,
    facts: { events: [event('FailedCreatePodSandBox', 'no addresses left')] },
    reason: 'Sandbox',
    message: /no addresses left/,
  },
  {
    what: 'an image that cannot be pulled',
    pod: { ...bound, status: state(waits('ImagePullBackOff', 'Back-off pulling image')) },
    reason: 'ImagePull',
    message: /the image shop\/web:2 of container main cannot be pulled: Back-off/,
    remedy: /n1 reaches its registry/,
  },
  {
    what: 'a container that cannot be configured',
    pod: { ...bound, status: state(waits('CreateContainerConfigError', 'secret "db" not found')) },
    reason: 'ContainerConfig',
    message: /cannot be configured: secret "db" not found/,
    remedy: /create what is missing/,
  },
  {
    what: 'a crash loop for want of memory',
    pod: {
      ...bound,
      status: state(waits('CrashLoopBackOff'), { lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }),
    },
    reason: 'CrashLoop',
    message: /4 restarts, last with exit code 137 \(OOMKilled\)/,
    remedy: /raise the memory limit of container main/,
  },
  {
    what: 'a probe that fails',
    pod: {
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'i', readinessProbe: {} }] },
      status: { phase: 'Running', ...state({ running: {} }) },
    },
    facts: { events: [event('Unhealthy', 'Readiness probe failed: connection refused')] },
    reason: 'NotReady',
    message: /the probe of container main fails: Readiness probe failed: connection refused/,
  },
  {
    what: 'eviction',
    pod: { ...bound, status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } },
    reason: 'Evicted',
    message: /low on resource: memory/,
  },
]

function factsOf({ pod, facts }: Pick<Case, 'pod' | 'facts'>): PodFacts {
  const made = podOf(pod)
  return {
    pod: made,
    nowMs,
    events: [],
    node: nodeOf('True'),
    claims: new Map(),
    deviceClaims: [],
    missing: [],
    notes: [],
    ...facts,
  }
}

for (const each of cases) {
  test(`a pod is stuck on ${each.what}`, () => {
    const report = explainPod(factsOf(each))
    const [cause] = report.causes
    assert.equal(report.state, 'stuck')
    assert.equal(cause?.reason, each.reason)
    assert.match(cause?.message ?? '', each.message)
    if (each.remedy) assert.match(cause?.remedies.join('\n') ?? '', new RegExp(each.remedy, 'm'))
  })
}

test('a pod that runs and is ready is fine, one that has done its work too', () => {
  const conditions = [{ type: 'Ready', status: 'True' }]
  const report = explainPod(factsOf({ pod: { ...bound, status: { phase: 'Running', conditions } } }))
  assert.deepEqual([report.state, report.summary], ['fine', 'it runs on n1 and is ready'])
  assert.equal(explainPod(factsOf({ pod: { ...bound, status: { phase: 'Succeeded' } } })).state, 'fine')
  assert.equal(explainPod(factsOf({ pod: bound })).state, 'pending')
})

test('a report in words names the nearest fits and what would help', () => {
  assert.equal(
    formatReport(explainPod(factsOf({ pod: {}, facts: { explanation, notes: ['you may not read secrets in shop'] } }))),
    `pod shop/web: it has no node.

  pod web waits for a node since 3m
  → 0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).

Nearest fits:
  n3: Insufficient cpu; 500m cpu wanted, 300m free → free 200m cpu on n3
  n1: node(s) had untolerated taint(s) → remove the taint x:NoSchedule from n1, or tolerate it

What would help:
  - free 200m cpu on n3
  - remove the taint x:NoSchedule from n1, or tolerate it

  Note: you may not read secrets in shop.
`,
  )
})
