import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { PodInfo } from '../pod-info.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { outcome, trialCache, trialNode, trialPod } from './plugin-trial.case.ts'

const restartPolicyRules = [{ action: 'RestartAllContainers' as const, exitCodes: { operator: 'In' as const } }]
const asking = trialPod('p', { containers: [{ name: 'c', restartPolicyRules }] })
const plain = trialNode('plain')
const able: Node = {
  ...trialNode('able'),
  status: { ...plain.status, declaredFeatures: ['RestartAllContainersOnContainerExits'] },
}

test('a pod that may start itself anew goes to nodes that can do that', () => {
  assert.equal(outcome(asking, trialCache([plain, able])), 'able')
  assert.equal(
    outcome(asking, trialCache([plain])),
    '0/1 nodes are available: 1 node declared features check failed - unsatisfied requirements: RestartAllContainersOnContainerExits.',
  )
  assert.equal(outcome(trialPod('q'), trialCache([plain])), 'plain')
})

test('only a node that has the feature helps it', () => {
  const info = new PodInfo(asking)
  assert.equal(nodeDeclaredFeatures.helpedBy?.({ type: 'nodeAdded', node: plain }, info), false)
  assert.equal(nodeDeclaredFeatures.helpedBy?.({ type: 'nodeUpdated', node: able, previous: plain }, info), true)
})
