import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Taint, Toleration } from '../../types/core.v1.ts'
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity, preferredNodeAffinityWeight } from './node-affinity.ts'
import { findUntoleratedTaint, formatTaint, isNodeReady, nodeRoles, tolerates } from './node-facts.ts'

function node(labels: Record<string, string>, status: Node['status'] = {}): Node {
  const metadata = { name: 'n1', uid: '', resourceVersion: '', creationTimestamp: '', labels }
  return { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status }
}

test('which tolerations cover a taint', () => {
  const taint: Taint = { key: 'k', value: '5', effect: 'NoSchedule' }
  const cases: readonly [Toleration, boolean][] = [
    [{ operator: 'Exists' }, true],
    [{ key: 'k', operator: 'Exists' }, true],
    [{ key: 'other', operator: 'Exists' }, false],
    [{ key: 'k', value: '5' }, true],
    [{ key: 'k', operator: 'Equal', value: '6' }, false],
    [{ key: 'k', value: '5', effect: 'NoExecute' }, false],
    [{ key: 'k', value: '5', effect: 'NoSchedule' }, true],
    [{ key: 'k', operator: 'Gt', value: '4' }, true],
    [{ key: 'k', operator: 'Lt', value: '4' }, false],
    [{ key: 'k', operator: 'Gt', value: 'x' }, false],
  ]
  for (const [toleration, expected] of cases)
    assert.equal(tolerates(toleration, taint), expected, JSON.stringify(toleration))
})

test('the first taint that hinders is found, soft ones only when asked for', () => {
  const soft: Taint = { key: 's', effect: 'PreferNoSchedule' }
  const hard: Taint = { key: 'h', value: 'v', effect: 'NoSchedule' }
  assert.equal(findUntoleratedTaint([soft, hard], []), hard)
  assert.equal(findUntoleratedTaint([soft, hard], [{ key: 'h', operator: 'Exists' }]), undefined)
  assert.equal(findUntoleratedTaint([soft], undefined, ['PreferNoSchedule']), soft)
  assert.deepEqual([formatTaint(soft), formatTaint(hard)], ['s:PreferNoSchedule', 'h=v:NoSchedule'])
})

test('readiness and roles', () => {
  const ready = node({}, { conditions: [{ type: 'Ready', status: 'True' }] })
  assert.deepEqual([isNodeReady(ready), isNodeReady(node({}))], [true, false])
  const roles = {
    'node-role.kubernetes.io/worker': '',
    'node-role.kubernetes.io/edge': '',
    'kubernetes.io/role': 'old',
  }
  assert.deepEqual(nodeRoles(node(roles)), ['edge', 'old', 'worker'])
})

test('one requirement of a node selector term', () => {
  const labels = { zone: 'a', size: '10' }
  const cases: readonly [NodeSelectorRequirement, boolean][] = [
    [{ key: 'zone', operator: 'In', values: ['a', 'b'] }, true],
    [{ key: 'zone', operator: 'NotIn', values: ['a'] }, false],
    [{ key: 'none', operator: 'NotIn', values: ['a'] }, true],
    [{ key: 'zone', operator: 'Exists' }, true],
    [{ key: 'zone', operator: 'DoesNotExist' }, false],
    [{ key: 'size', operator: 'Gt', values: ['9'] }, true],
    [{ key: 'size', operator: 'Lt', values: ['9'] }, false],
    [{ key: 'zone', operator: 'Gt', values: ['9'] }, false],
  ]
  for (const [requirement, expected] of cases) {
    const term: NodeSelectorTerm = { matchExpressions: [requirement] }
    assert.equal(matchesNodeSelectorTerm(term, node(labels)), expected, JSON.stringify(requirement))
  }
  assert.equal(matchesNodeSelectorTerm({}, node(labels)), false)
  const byName: NodeSelectorTerm = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }
  assert.equal(matchesNodeSelectorTerm(byName, node({})), true)
})

test('node selector and required affinity must both hold; preferences add up', () => {
  const zone = (value: string): NodeSelectorTerm => ({
    matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }],
  })
  const affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [zone('b'), zone('a')] } },
  }
  assert.equal(matchesRequiredNodeAffinity({ affinity }, node({ zone: 'a' })), true)
  assert.equal(matchesRequiredNodeAffinity({ affinity, nodeSelector: { disk: 'ssd' } }, node({ zone: 'a' })), false)
  assert.equal(matchesRequiredNodeAffinity({ nodeSelector: { disk: 'ssd' } }, node({ disk: 'ssd' })), true)
  const preferred = [
    { weight: 3, preference: zone('a') },
    { weight: 5, preference: zone('b') },
    { weight: 7, preference: {} },
  ]
  const weight = preferredNodeAffinityWeight(
    { preferredDuringSchedulingIgnoredDuringExecution: preferred },
    node({ zone: 'a' }),
  )
  assert.equal(weight, 3)
})
