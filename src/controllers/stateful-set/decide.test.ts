import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatefulSet } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { decideStep } from './decide.ts'

/** One letter a pod, from ordinal 0: `o` of the old revision, `n` of the new one, in capitals where not available. */
function deleted(pods: string, rollingUpdate: object): string {
  const replicas = pods.length
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate }
  const spec = { replicas, podManagementPolicy: 'Parallel', updateStrategy }
  const podOf = (letter: string, ordinal: number): Pod => {
    const isAvailable = letter === letter.toLowerCase()
    const labels = { 'controller-revision-hash': letter.toLowerCase() === 'o' ? 'old' : 'new' }
    const conditions = [{ type: 'Ready', status: isAvailable ? 'True' : 'False' }]
    return { metadata: { name: `s-${ordinal}`, labels }, spec: {}, status: { phase: 'Running', conditions } } as never
  }
  const step = decideStep({
    set: { metadata: { name: 's' }, spec } as unknown as StatefulSet,
    pods: pods.split('').map(podOf),
    currentRevision: 'old',
    updateRevision: 'new',
    nowMs: 0,
  })
  return step.delete.map(({ metadata }) => metadata.name).join()
}

const steps = [
  { pods: 'ooooo', strategy: {}, goes: 's-4' },
  { pods: 'ooooo', strategy: { maxUnavailable: 2 }, goes: 's-4,s-3' },
  { pods: 'ooooo', strategy: { maxUnavailable: '50%' }, goes: 's-4,s-3' },
  { pods: 'ooooo', strategy: { maxUnavailable: '10%' }, goes: 's-4' },
  { pods: 'ooooN', strategy: { maxUnavailable: 2 }, goes: 's-3' },
  { pods: 'oooNN', strategy: { maxUnavailable: 2 }, goes: '' },
  { pods: 'oooOn', strategy: { maxUnavailable: 2 }, goes: 's-3,s-2' },
  { pods: 'ooooo', strategy: { maxUnavailable: 4, partition: 3 }, goes: 's-4,s-3' },
  { pods: 'ooooN', strategy: {}, goes: '' },
] as const

for (const { pods, strategy, goes } of steps) {
  test(`of ${pods} with ${JSON.stringify(strategy)} goes: ${goes || 'none'}`, () => {
    assert.equal(deleted(pods, strategy), goes)
  })
}
