/**
 * Goal: the groups of pods hold their limits on cgroup v2. Method: groups as the node makes them, read back from the
 * kernel, and processes that exceed them.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createPodCgroups, type PodCgroups } from '#kubelet/cgroups/pod-cgroups.ts'
import { settingsOf } from '#kubelet/configuration/kubelet-settings.ts'
import { detectCgroups } from '#lib/cgroup-layout.ts'
import { systemClock } from '#lib/clock.ts'
import { runCommand } from '#lib/command.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import { isThere, skipOutside as skip, textOf } from './in-machine.ts'
import { guaranteed, podOf } from './pods.ts'

const root = '/coracle-test-groups'
const top = join('/sys/fs/cgroup', root)
const mebibyte = 1024 ** 2

async function groups(): Promise<PodCgroups> {
  const layout = await detectCgroups()
  assert.deepEqual(layout, { version: 2, root: '/sys/fs/cgroup' })
  return createPodCgroups({
    layout,
    root,
    clock: systemClock,
    quota: settingsOf({}).cpuQuota,
    podPidsLimit: 100,
    hugePageSizes: [2 * mebibyte],
    seconds: new Histogram({ name: 'seconds', help: 'For groups.', buckets: [1] }),
    total: { cpuShares: 4096, memoryLimitBytes: 1024 * mebibyte },
  })
}

function files(path: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, textOf(join(path, name))]))
}

after(async () => {
  if (skip !== false) return
  const made = await groups()
  for (const uid of await made.list()) await made.remove(uid)
})

test('the group of all pods and those of the classes', { skip }, async () => {
  const made = await groups()
  await made.setUp()
  assert.deepEqual(files(top, ['cpu.weight', 'memory.max']), {
    'cpu.weight': '303',
    'memory.max': String(1024 * mebibyte),
  })
  assert.equal(textOf(join(top, 'besteffort/cpu.weight')), '1')
  await made.create(podOf('burstable-1', { requests: { cpu: '500m' } }))
  await made.create(podOf('burstable-2', { requests: { cpu: '500m' } }))
  assert.equal(textOf(join(top, 'burstable/cpu.weight')), '100')
  await made.remove('burstable-1')
  assert.equal(textOf(join(top, 'burstable/cpu.weight')), '59')
})

test('a guaranteed pod has exactly what it asks for', { skip }, async () => {
  const made = await groups()
  await made.create(guaranteed('exact', { cpu: '1500m', memory: '64Mi', 'hugepages-2Mi': '4Mi' }))
  const expected = {
    'cpu.max': '150000 100000',
    'memory.max': String(64 * mebibyte),
    'pids.max': '100',
    'hugetlb.2MB.max': String(4 * mebibyte),
  }
  assert.deepEqual(files(join(top, 'podexact'), Object.keys(expected)), expected)
  assert.deepEqual((await made.list()).toSorted(), ['burstable-2', 'exact'])
  await made.remove('exact')
  assert.equal(isThere(join(top, 'podexact')), false)
})

test('the kernel ends who takes more memory than the pod may', { skip }, async () => {
  const made = await groups()
  await made.create(guaranteed('greedy', { cpu: '1', memory: '8Mi' }))
  const folder = join(top, 'podgreedy')
  const script = `echo $$ > ${folder}/cgroup.procs; head -c 64M /dev/zero | tail -c 64M > /dev/null`
  const { code } = await runCommand('bash', ['-c', script], { timeoutMs: 300_000, acceptedCodes: [0, 137] })
  assert.equal(code, 137)
  assert.match(textOf(join(folder, 'memory.events')), /^oom_kill 1$/m)
  await made.remove('greedy')
})

test('no more huge pages than the pod asks for', { skip }, async () => {
  const made = await groups()
  await made.create(guaranteed('pages', { cpu: '1', memory: '32Mi', 'hugepages-2Mi': '4Mi' }))
  const folder = join(top, 'podpages')
  const use = (pages: number): string =>
    `echo $$ > ${folder}/cgroup.procs; fallocate -l ${pages * 2}M /dev/hugepages/pod-pages && rm /dev/hugepages/pod-pages`
  await runCommand('bash', ['-c', use(2)])
  await assert.rejects(runCommand('bash', ['-c', use(3)]))
  await runCommand('rm', ['-f', '/dev/hugepages/pod-pages'])
  await made.remove('pages')
})
