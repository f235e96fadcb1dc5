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
const claimChanged = (name: string): ClusterChange => ({
  type: 'storageChanged',
  object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'default' } as never },
})

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
    ['DynamicResources', 'a new node', info(), added(), false],
  ]

for (const [name, what, pod, change, helps] of cases) {
  test(`a pod rejected by ${name} is ${helps ? '' : 'not '}helped by ${what}`, () => {
    const plugin = defaultPlugins.find((each) => each.name === name)
    assert.equal(plugin?.helpedBy?.(change, pod) ?? true, helps)
  })
}
