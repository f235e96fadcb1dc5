import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec, Taint } from '#api/types/core.v1.ts'
import { refusalOf } from './admission.ts'
import { sysctlRefusal } from './sysctl-refusal.ts'

const metadata = { resourceVersion: '1', creationTimestamp: '' }

function pod(name: string, cpu: string, more: Partial<PodSpec> = {}): Pod {
  const containers = [{ name: 'c', resources: { requests: { cpu } } }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, uid: name }, spec: { containers, ...more } }
}

function node(taints: readonly Taint[] = []): Node {
  const status = { allocatable: { cpu: '2', memory: '1Gi', pods: '3' } }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...metadata, name: 'n', uid: 'n', labels: { disk: 'ssd' } },
    spec: { taints },
    status,
  }
}

test('what the node takes and what it refuses', () => {
  const taint: Taint = { key: 'k', effect: 'NoExecute' }
  const others = [pod('a', '1'), pod('b', '500m')]
  const cases: readonly [Pod, Node, readonly Pod[], string | undefined][] = [
    [pod('x', '500m'), node(), others, undefined],
    [pod('a', '1'), node(), others, undefined],
    [pod('x', '501m'), node(), others, 'OutOfcpu'],
    [pod('x', '0'), node(), [...others, pod('c', '0')], 'OutOfpods'],
    [pod('x', '0', { nodeSelector: { disk: 'hdd' } }), node(), [], 'NodeAffinity'],
    [pod('x', '0'), node([taint]), [], 'TaintToleration'],
    [pod('x', '0', { tolerations: [{ key: 'k', operator: 'Exists' }] }), node([taint]), [], undefined],
    [pod('x', '2'), node(), [{ ...pod('done', '2'), status: { phase: 'Succeeded' } }], undefined],
  ]
  for (const [candidate, target, running, expected] of cases)
    assert.equal(refusalOf(candidate, target, running)?.reason, expected)
  assert.equal(
    refusalOf(pod('x', '501m'), node(), others)?.message,
    "Pod was rejected: Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
  )
})

test('what the scheduler has found devices for need not be the node’s own', () => {
  const containers = [{ name: 'c', resources: { requests: { 'vendor.example/gpu': '1' } } }]
  const asking = pod('x', '0', { containers })
  assert.equal(refusalOf(asking, node(), [])?.reason, 'OutOfvendor.example/gpu')
  const mapping = { containerName: 'c', resourceName: 'vendor.example/gpu', requestName: 'r' }
  const status = { extendedResourceClaimStatus: { resourceClaimName: 'made', requestMappings: [mapping] } }
  assert.equal(refusalOf({ ...asking, status }, node(), []), undefined)
})

test('only the groups asked for: a runtime that cannot leave out others does not get the pod', () => {
  const asking = pod('strict', '1', { securityContext: { supplementalGroupsPolicy: 'Strict' } })
  const able = (supplementalGroupsPolicy: boolean): Node => {
    const status = { allocatable: { cpu: '2', pods: '10' }, features: { supplementalGroupsPolicy } }
    return { apiVersion: 'v1', kind: 'Node', metadata: { ...metadata, name: 'n', uid: 'n' }, spec: {}, status }
  }
  assert.equal(refusalOf(asking, able(true), []), undefined)
  assert.equal(refusalOf(asking, able(false), [])?.reason, 'SupplementalGroupsPolicyNotSupported')
})

test('sysctls: only safe ones, those that the node allows, and none of the node itself', () => {
  const message = (name: string, spec: object = {}, allowed: readonly string[] = []): string | undefined =>
    sysctlRefusal({ containers: [], securityContext: { sysctls: [{ name, value: '1' }] }, ...spec }, allowed)?.message
  assert.equal(message('kernel.shm_rmid_forced'), undefined)
  assert.equal(message('kernel.msgmax'), 'forbidden sysctl: "kernel.msgmax" not allowlisted')
  assert.equal(message('kernel/msgmax', {}, ['kernel.msg*']), undefined)
  assert.match(message('net.ipv4.tcp_syncookies', { hostNetwork: true }) ?? '', /not allowed with host net enabled$/)
  assert.match(message('kernel.shm_rmid_forced', { hostIPC: true }) ?? '', /not allowed with host ipc enabled$/)
})
