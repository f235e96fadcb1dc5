import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod } from '#api/types/core.v1.ts'
import { podPhase } from './pod-phase.ts'

const metadata = { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
const containers = ['a', 'b'].map((name) => ({ name, image: 'i' }))
const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } }

/** `run`, `wait`, or the exit code. */
type State = 'run' | 'wait' | number

function statusOf(state: State, index: number): ContainerStatus {
  const shown =
    state === 'run'
      ? { running: {} }
      : state === 'wait'
        ? { waiting: { reason: 'ContainerCreating' } }
        : { terminated: { exitCode: state } }
  const rest = { ready: false, restartCount: 0, image: 'i', imageID: '' }
  return { name: containers[index]?.name ?? '', state: shown, ...rest }
}

const cases: readonly (readonly [states: readonly State[], how: 'goes on' | 'ends' | 'stopped', phase: string])[] = [
  [['wait', 'wait'], 'goes on', 'Pending'],
  [['run', 'wait'], 'goes on', 'Pending'],
  [['run', 'run'], 'goes on', 'Running'],
  [['run', 0], 'ends', 'Running'],
  [[0, 0], 'ends', 'Succeeded'],
  [[0, 1], 'ends', 'Failed'],
  [['wait', 'wait'], 'ends', 'Pending'],
  [['wait', 'wait'], 'stopped', 'Failed'],
  [[0, 'wait'], 'stopped', 'Failed'],
  [[0, 0], 'stopped', 'Succeeded'],
]

for (const [states, how, phase] of cases) {
  test(`a pod that ${how} with its containers at ${states.join(', ')} is ${phase}`, () => {
    const main = states.map(statusOf)
    const input = { pod, init: [], main, isEnding: how !== 'goes on', hasStopped: how === 'stopped' }
    assert.equal(podPhase(input), phase)
  })
}
