import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { UsageMeter } from './usage-meter.ts'

interface Figures {
  readonly node: number
  readonly containers: Readonly<Record<string, { readonly cpu: number; readonly startedAtMs?: number }>>
}

function page(atMs: number, { node, containers }: Figures): string {
  const lines = ['# TYPE node_cpu_usage_seconds_total counter', `node_cpu_usage_seconds_total ${node} ${atMs}`]
  lines.push(`node_memory_working_set_bytes 1.048576e+06 ${atMs}`)
  for (const [name, { cpu, startedAtMs = 0 }] of Object.entries(containers)) {
    const labels = `{container="${name}",namespace="test",pod="web"}`
    lines.push(`container_cpu_usage_seconds_total${labels} ${cpu} ${atMs}`)
    lines.push(`container_memory_working_set_bytes${labels} 4096 ${atMs}`)
    lines.push(`container_start_time_seconds${labels} ${startedAtMs / 1_000}`)
  }
  return `${lines.join('\n')}\npod_cpu_usage_seconds_total{namespace="test",pod="web"} 9 ${atMs}\n`
}

function metered(nodes: readonly string[] = ['n1']) {
  const clock = manualClock()
  const state = { figures: { node: 11, containers: { c: { cpu: 1 } } } as Figures, looks: 0, isAway: false }
  const log = jsonLog({ clock, level: 'error', write: () => undefined })
  const meter = new UsageMeter({
    clock,
    log,
    nodes: () => Promise.resolve(nodes),
    scrape: (node) => {
      state.looks++
      const fails = state.isAway && node === 'n1'
      return fails ? Promise.reject(new Error('gone')) : Promise.resolve(page(clock.now(), state.figures))
    },
  })
  const grow = (cpu: number): void => void (state.figures = { node: 10 + cpu, containers: { c: { cpu } } })
  return { clock, state, meter, grow }
}

test('the first answer takes two looks a second apart, the next ones only one each', async () => {
  const { clock, state, meter, grow } = metered()
  const first = meter.read()
  const same = meter.read()
  await clock.advance(0)
  grow(1.25)
  await clock.advance(1_000)
  const { nodes, pods } = await first
  assert.equal(await same, await first)
  assert.equal(state.looks, 2)
  assert.equal(nodes.get('n1')?.cpuCores, 0.25)
  assert.equal(nodes.get('n1')?.memoryBytes, 1_048_576)
  assert.deepEqual(pods.get('test/web')?.get('c'), {
    timeMs: clock.now(),
    windowMs: 1_000,
    cpuCores: 0.25,
    memoryBytes: 4_096,
  })
  await clock.advance(9_000)
  assert.equal(await meter.read(), await first, 'fresh answers are given again')
  grow(3.25)
  await clock.advance(6_000)
  const later = await meter.read()
  assert.equal(state.looks, 3)
  assert.deepEqual(later.pods.get('test/web')?.get('c')?.windowMs, 15_000)
  assert.ok(Math.abs((later.nodes.get('n1')?.cpuCores ?? 0) - 2 / 15) < 1e-9)
})

test('nobody asks, nothing is measured, and what was seen is forgotten', async () => {
  const { clock, state, meter } = metered()
  const first = meter.read()
  await clock.advance(1_000)
  await first
  await clock.advance(3_600_000)
  assert.equal(state.looks, 2)
  const again = meter.read()
  await clock.advance(1_000)
  await again
  assert.equal(state.looks, 4)
})

test('a container that started in between is measured since its start, once that says something', async () => {
  const { clock, state, meter } = metered()
  const first = meter.read()
  await clock.advance(1_000)
  await first
  const startedAtMs = clock.now() + 5_000
  await clock.advance(12_000)
  state.figures = { node: 10, containers: { c: { cpu: 0.1, startedAtMs } } }
  assert.equal((await meter.read()).pods.size, 0)
  await clock.advance(13_000)
  state.figures = { node: 10, containers: { c: { cpu: 2.1, startedAtMs }, d: { cpu: 2, startedAtMs } } }
  const used = (await meter.read()).pods.get('test/web')
  assert.equal(used?.get('c')?.windowMs, 13_000)
  assert.deepEqual([used?.get('d')?.windowMs, used?.get('d')?.cpuCores], [20_000, 0.1])
})

test('a node that cannot be asked hides only itself', async () => {
  const { clock, state, meter } = metered(['n1', 'n2'])
  state.isAway = true
  const read = meter.read()
  await clock.advance(1_000)
  assert.deepEqual([...(await read).nodes.keys()], ['n2'])
})
