import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cgroupLayout, cgroupMounts } from './cgroup-layout.ts'

const v1Mounts = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
`

test('cgroupLayout() takes the v1 controllers where an empty v2 hierarchy stands beside them', () => {
  const controllers = { cpu: '/sys/fs/cgroup/cpu', memory: '/sys/fs/cgroup/memory' }
  assert.deepEqual(cgroupLayout(v1Mounts), {
    version: 1,
    controllers,
    mountPoints: [...Object.values(controllers), '/sys/fs/cgroup/unified'],
  })
})

test('cgroupLayout() finds joint controllers under one mount', () => {
  const setup = cgroupLayout('cgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n')
  assert.deepEqual(setup, {
    version: 1,
    controllers: { cpu: '/c/cpu,cpuacct', cpuacct: '/c/cpu,cpuacct' },
    mountPoints: ['/c/cpu,cpuacct'],
  })
})

test('cgroupLayout() finds the pure unified hierarchy', () => {
  assert.deepEqual(cgroupLayout('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n'), { version: 2, root: '/sys/fs/cgroup' })
})

test('cgroupMounts() finds every mount of control groups and no other', () => {
  const found = cgroupMounts(v1Mounts)
  assert.deepEqual(found, ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'])
})
