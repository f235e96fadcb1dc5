import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDiskNames } from '../stats/disk-names.ts'
import { parseCgroupUsage } from './cgroup-usage.ts'

const wanted = {
  cpu: {
    userSeconds: 1.5,
    systemSeconds: 0.25,
    periods: 100,
    throttledPeriods: 7,
    throttledSeconds: 0.5,
    shares: 1024,
    quotaMicroseconds: 50_000,
    periodMicroseconds: 100_000,
  },
  memory: { cacheBytes: 4096, mappedFileBytes: 1024, swapBytes: 0, maximumBytes: 9000, failures: 3, limitBytes: 8192 },
  processes: 2,
  threads: 5,
  disks: [{ device: '8:0', reads: 2, writes: 1, readBytes: 8192, writtenBytes: 4096 }],
}

test('a group of version 1', () => {
  const files = {
    'cpu.stat': 'nr_periods 100\nnr_throttled 7\nthrottled_time 500000000\n',
    'cpu.shares': '1024\n',
    'cpu.cfs_quota_us': '50000\n',
    'cpu.cfs_period_us': '100000\n',
    'cpuacct.stat': 'user 150\nsystem 25\n',
    'memory.stat': 'cache 4096\nrss 1\nmapped_file 1024\nswap 0\n',
    'memory.max_usage_in_bytes': '9000\n',
    'memory.failcnt': '3\n',
    'memory.limit_in_bytes': '8192\n',
    'pids.current': '5\n',
    'cgroup.procs': '10\n11\n',
    'blkio.throttle.io_serviced': '8:0 Read 2\n8:0 Write 1\n8:0 Total 3\nTotal 3\n',
    'blkio.throttle.io_service_bytes': '8:0 Read 8192\n8:0 Write 4096\n8:0 Total 12288\nTotal 12288\n',
  }
  assert.deepEqual(parseCgroupUsage(1, files), wanted)
  const unlimited = { 'cpu.cfs_quota_us': '-1\n', 'memory.limit_in_bytes': '9223372036854771712\n' }
  const { cpu, memory } = parseCgroupUsage(1, unlimited)
  assert.deepEqual([cpu.quotaMicroseconds, memory.limitBytes], [undefined, 0])
})

test('a group of version 2', () => {
  const files = {
    'cpu.stat':
      'usage_usec 1750000\nuser_usec 1500000\nsystem_usec 250000\nnr_periods 100\nnr_throttled 7\nthrottled_usec 500000\n',
    'cpu.max': '50000 100000\n',
    'cpu.weight': '40\n',
    'memory.stat': 'anon 1\nfile 4096\nfile_mapped 1024\n',
    'memory.peak': '9000\n',
    'memory.events': 'low 0\nhigh 0\nmax 3\noom 0\n',
    'memory.max': '8192\n',
    'memory.swap.current': '0\n',
    'pids.current': '5\n',
    'cgroup.procs': '10\n11\n',
    'io.stat': '8:0 rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0\n',
  }
  assert.deepEqual(parseCgroupUsage(2, files), { ...wanted, cpu: { ...wanted.cpu, shares: 1024 } })
  const { cpu, memory } = parseCgroupUsage(2, { 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' })
  assert.deepEqual([cpu.quotaMicroseconds, cpu.periodMicroseconds, memory.limitBytes], [undefined, 100_000, 0])
})

test('names of disks', () => {
  const names = parseDiskNames('   8       0 sda 1 2 3\n 253       1 dm-1 0 0\n')
  assert.deepEqual(
    [...names],
    [
      ['8:0', '/dev/sda'],
      ['253:1', '/dev/dm-1'],
    ],
  )
})
