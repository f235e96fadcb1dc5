import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerConfig } from '../cri/container.ts'
import { PodWorld } from './pod-world.case.ts'

const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
const trigger: Container = { name: 'c', image: 'i', restartPolicy: 'Never', restartPolicyRules: [rule] }

/** The trigger ends with 42 the first time, and with 0 the second time; others take a second to stop. */
function behaviour({ name, attempt }: ContainerConfig) {
  if (name !== 'c') return { stopDelayMs: 1_000 }
  return { exitAfterMs: 1_000, exitCode: attempt === 0 ? 42 : 0 }
}

function restarting(world: PodWorld): string | undefined {
  const { status, reason } = podCondition(world.get('p') as Pod, 'AllContainersRestarting') ?? {}
  return reason === undefined ? status : `${status} ${reason}`
}

test('a pod that starts over says so until it has begun anew', async () => {
  const world = new PodWorld({ container: behaviour })
  world.create('p', {
    restartPolicy: 'Never',
    containers: [trigger, { name: 'a', image: 'i' }, { name: 'b', image: 'i' }],
  })
  await world.settle(500)
  assert.deepEqual([restarting(world), world.summary('p')], ['False', 'Running c=running#0+ a=running#0+ b=running#0+'])
  await world.settle(1_000)
  assert.equal(restarting(world), 'True')
  // Both others are stopped beside one another, so all is over after one second.
  await world.settle(600)
  assert.deepEqual([restarting(world), world.summary('p')], ['False', 'Running c=running#1+ a=running#1+ b=running#1+'])
  await world.stop()
})

test('a pod without such a rule does not speak of it', async () => {
  const world = new PodWorld()
  world.create('p', {})
  await world.settle()
  assert.equal(restarting(world), undefined)
  await world.stop()
})
