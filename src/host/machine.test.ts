import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupSetup, hasCapability } from './machine.ts'

const v1Mounts = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
`

test('cgroupSetup() takes the v1 controllers where an empty v2 hierarchy stands beside them', () => {
  const controllers = { cpu: '/sys/fs/cgroup/cpu', memory: '/sys/fs/cgroup/memory' }
  assert.deepEqual(cgroupSetup(v1Mounts), { version: 1, controllers })
})

test('cgroupSetup() finds joint controllers under one mount', () => {
  const setup = cgroupSetup('cgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n')
  assert.deepEqual(setup, { version: 1, controllers: { cpu: '/c/cpu,cpuacct', cpuacct: '/c/cpu,cpuacct' } })
})

test('cgroupSetup() finds the pure unified hierarchy', () => {
  assert.deepEqual(cgroupSetup('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n'), { version: 2, root: '/sys/fs/cgroup' })
})

test('hasCapability() reads the effective set', () => {
  const status = 'CapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n'
  assert.equal(hasCapability(status, 24n), false)
  assert.equal(hasCapability(status, 21n), true)
})
