import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Affinity, Node, PodSpec } from '#api/types/core.v1.ts'
import type { ClusterChange } from '../framework.ts'
import { PodInfo } from '../pod-info.ts'
import { defaultPlugins } from './default-plugins.ts'
import { trialNode, trialPod } from './plugin-trial.case.ts'

const info = (spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): PodInfo =>
  new PodInfo(trialPod('p', spec, { labels }))

const node = trialNode('n')
const withRoom = (cpu: string): Node => ({ ...node, status: { allocatable: { cpu, memory: '4Gi', pods: '10' } } })
const added = (of: Node = node): ClusterChange => ({ type: 'nodeAdded', node: of })
const changed = (now: Node, previous: Node = node): ClusterChange => ({ type: 'nodeUpdated', node: now, previous })
const freed = (pod: PodInfo = info()): ClusterChange => ({ type: 'podFreed', pod })
const bound = (pod: PodInfo = info()): ClusterChange => ({ type: 'podBound', pod })
const removed = (of: Node = node): ClusterChange => ({ type: 'nodeRemoved', node: of })
const storage = (kind: string, name = 'x', isGone = false): ClusterChange => ({
  ...{ type: 'storageChanged', isGone },
  object: { apiVersion: 'v1', kind, metadata: { name, namespace: 'default' } as never },
})
const claimChanged = (name: string): ClusterChange => storage('PersistentVolumeClaim', name)
const updated = (now: PodInfo, previous: PodInfo): ClusterChange => ({ type: 'podUpdated', pod: now, previous })
const labelled = (name: string): ClusterChange => ({ type: 'namespaceLabeled', name, labels: {} })
const devices = (kind: string, over: object = {}, isGone = false): ClusterChange => {
  const metadata = { name: 'gpu', namespace: 'default' } as never
  return { type: 'devicesChanged', isGone, object: { apiVersion: 'resource.k8s.io/v1', kind, metadata, ...over } }
}

const big = info({ containers: [{ name: 'c', resources: { requests: { cpu: '3' } } }] })
const onPort = (hostPort: number): PodInfo =>
  info({ containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort }] }] })
const selecting = info({ nodeSelector: { disk: 'ssd' } })
const tainted = trialNode('n', {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] })
const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'x' } } }
const required = { requiredDuringSchedulingIgnoredDuringExecution: [term] }
const near: Affinity = { podAffinity: required }
const away: Affinity = { podAntiAffinity: required }
const x = { app: 'x' }
const constraint = { ...term, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' as const }
const spread = info({ topologySpreadConstraints: [constraint] })
const withDevice = info({ resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] })
const withClaim = info({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })

const cases: readonly (readonly [plugin: string, what: string, pod: PodInfo, change: ClusterChange, helps: boolean])[] =
  [
    ['NodeResourcesFit', 'a pod that goes', big, freed(), true],
    ['NodeResourcesFit', 'a pod that comes', big, bound(), false],
    ['NodeResourcesFit', 'a node that is too small', big, added(), false],
    ['NodeResourcesFit', 'a node that is large enough', big, added(withRoom('4')), true],
    ['NodeResourcesFit', 'a node that grows enough', big, changed(withRoom('4')), true],
    ['NodeResourcesFit', 'a node that shrinks', big, changed(withRoom('4'), withRoom('8')), false],
    ['NodeResourcesFit', 'a label', big, changed(trialNode('n', { a: 'b' })), false],
    ['NodePorts', 'a pod that frees another port', onPort(80), freed(onPort(81)), false],
    ['NodePorts', 'a pod that frees the port', onPort(80), freed(onPort(80)), true],
    ['NodeAffinity', 'a node without the label', selecting, added(), false],
    ['NodeAffinity', 'a node with the label', selecting, added(trialNode('n', { disk: 'ssd' })), true],
    ['NodeAffinity', 'a node that gets the label', selecting, changed(trialNode('n', { disk: 'ssd' })), true],
    ['TaintToleration', 'a node that loses its taint', info(), changed(node, tainted), true],
    ['TaintToleration', 'a node that keeps its taint', info(), changed(tainted, tainted), false],
    ['TaintToleration', 'a pod that goes', info(), freed(), false],
    [
      'NodeUnschedulable',
      'a node that is uncordoned',
      info(),
      changed(node, trialNode('n', {}, { unschedulable: true })),
      true,
    ],
    ['InterPodAffinity', 'a pod that is wanted near', info({ affinity: near }), bound(info({}, x)), true],
    ['InterPodAffinity', 'a pod that nobody wants', info({ affinity: near }), bound(), false],
    ['InterPodAffinity', 'a pod not wanted that goes', info({ affinity: away }), freed(info({}, x)), true],
    ['InterPodAffinity', 'another pod that goes', info({ affinity: away }), freed(), false],
    ['InterPodAffinity', 'the holder of a term that goes', info({}, x), freed(info({ affinity: away })), true],
    ['InterPodAffinity', 'a node that moves to another zone', info(), changed(trialNode('n', { zone: 'b' })), true],
    ['PodTopologySpread', 'a like pod that comes', spread, bound(info({}, x)), true],
    ['PodTopologySpread', 'a like pod that goes', spread, freed(info({}, x)), true],
    ['PodTopologySpread', 'another pod that goes', spread, freed(), false],
    ['VolumeBinding', 'its claim', withClaim, claimChanged('data'), true],
    ['VolumeBinding', 'another claim', withClaim, claimChanged('other'), false],
    ['VolumeRestrictions', 'a pod that frees the claim', withClaim, freed(withClaim), true],
    ['VolumeRestrictions', 'another pod that goes', withClaim, freed(), false],
    ['NodeResourcesFit', 'a placed pod that asks for less', big, updated(info(), big), true],
    ['NodeResourcesFit', 'a placed pod with another label', big, updated(info({}, x), info()), false],
    ['NodeResourcesFit', 'a node that goes', big, removed(), false],
    ['NodeName', 'the node that it names', info({ nodeName: 'n' }), added(), true],
    ['NodeName', 'another node', info({ nodeName: 'm' }), added(), false],
    ['NodePorts', 'a node', onPort(80), added(), true],
    ['NodeUnschedulable', 'a cordoned node', info(), added(trialNode('n', {}, { unschedulable: true })), false],
    ['TaintToleration', 'a node with the taint', info(), added(tainted), false],
    ['InterPodAffinity', 'a node without the topology', info({ affinity: near }), added(), false],
    [
      'InterPodAffinity',
      'a node of the topology',
      info({ affinity: near }),
      added(trialNode('n', { zone: 'a' })),
      true,
    ],
    ['InterPodAffinity', 'a pod that gets the label', info({ affinity: near }), updated(info({}, x), info()), true],
    ['InterPodAffinity', 'a pod that loses the label', info({ affinity: away }), updated(info(), info({}, x)), true],
    [
      'InterPodAffinity',
      'labels of a namespace that it does not look at',
      info({ affinity: near }),
      labelled('m'),
      false,
    ],
    ['InterPodAffinity', 'labels of its own namespace', info(), labelled('default'), true],
    ['PodTopologySpread', 'a node without the topology', spread, added(), false],
    ['PodTopologySpread', 'a node of the topology', spread, added(trialNode('n', { zone: 'a' })), true],
    ['PodTopologySpread', 'a node of the topology that goes', spread, removed(trialNode('n', { zone: 'a' })), true],
    ['PodTopologySpread', 'a label of no concern', spread, changed(trialNode('n', { a: 'b' })), false],
    ['VolumeBinding', 'a new volume', withClaim, storage('PersistentVolume'), true],
    ['VolumeBinding', 'a volume that goes', withClaim, storage('PersistentVolume', 'x', true), false],
    ['VolumeBinding', 'more room at a driver', withClaim, storage('CSIStorageCapacity'), true],
    ['VolumeBinding', 'a driver that goes', withClaim, storage('CSIDriver', 'x', true), true],
    ['VolumeBinding', 'a pod that goes', withClaim, freed(), false],
    ['VolumeZone', 'its claim', withClaim, claimChanged('data'), true],
    ['VolumeZone', 'another claim', withClaim, claimChanged('other'), false],
    ['VolumeZone', 'a volume', withClaim, storage('PersistentVolume'), true],
    ['VolumeZone', 'a driver on a node', withClaim, storage('CSINode'), false],
    ['NodeVolumeLimits', 'a driver on a node', withClaim, storage('CSINode'), true],
    ['NodeVolumeLimits', 'a volume', withClaim, storage('PersistentVolume'), false],
    ['NodeVolumeLimits', 'a volume that is detached', withClaim, storage('VolumeAttachment', 'x', true), true],
    ['NodeVolumeLimits', 'a volume that is attached', withClaim, storage('VolumeAttachment'), false],
    ['NodeVolumeLimits', 'a pod with volumes that goes', withClaim, freed(withClaim), true],
    ['NodeVolumeLimits', 'a pod without volumes that goes', withClaim, freed(), false],
    ['VolumeRestrictions', 'its claim', withClaim, claimChanged('data'), true],
    ['VolumeRestrictions', 'another claim', withClaim, claimChanged('other'), false],
    ['DynamicResources', 'a new node', withDevice, added(), true],
    ['DynamicResources', 'devices', withDevice, devices('ResourceSlice'), true],
    ['DynamicResources', 'devices that go', withDevice, devices('ResourceSlice', {}, true), false],
    ['DynamicResources', 'a class', withDevice, devices('DeviceClass'), true],
    ['DynamicResources', 'a claim that gives up its devices', withDevice, devices('ResourceClaim'), true],
    [
      'DynamicResources',
      'a claim that goes',
      withDevice,
      devices('ResourceClaim', { status: { allocation: {} } }, true),
      true,
    ],
    ['DynamicResources', 'its claim', withDevice, devices('ResourceClaim', { status: { allocation: {} } }), true],
    [
      'DynamicResources',
      'the claim of others',
      info(),
      devices('ResourceClaim', { status: { allocation: {} } }),
      false,
    ],
    ['DynamicResources', 'a pod that goes', withDevice, freed(), false],
    ['ImageLocality', 'anything', info(), added(), false],
    ['NodeResourcesBalancedAllocation', 'anything', info(), added(), false],
  ]

for (const [name, what, pod, change, helps] of cases) {
  test(`a pod rejected by ${name} is ${helps ? '' : 'not '}helped by ${what}`, () => {
    const plugin = defaultPlugins.find((each) => each.name === name)
    assert.equal(plugin?.helpedBy?.(change, pod) ?? true, helps)
  })
}
