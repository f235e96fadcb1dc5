/**
 * How fast a whole cluster on this machine serves its first Deployment, and what it costs at rest. Needs root. Prints
 * one JSON line for each figure. `--idle-seconds N` (default 20).
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startCluster } from '../test/cluster/harness/cluster.ts'
import { webManifest } from '../test/cluster/harness/manifests.ts'
import { cpuSeconds, report, residentBytes, startedThings } from './measure.ts'

const { values } = parseArgs({ options: { 'idle-seconds': { type: 'string', default: '20' } } })

const startMs = performance.now()
await using things = startedThings()
const cluster = things.use(await startCluster())
report('up to node ready', { ms: performance.now() - startMs })
await cluster.loadImages()
const applyMs = performance.now()
await cluster.kubectl.apply(webManifest({ replicas: 1 }))
await cluster.kubectl.output('rollout', 'status', 'deployment/web', '--timeout=60s')
report('apply to one replica available', { ms: performance.now() - applyMs })

const pid = Number(readFileSync(cluster.layout.serverPidFile, 'utf8').split(' ')[0])
await sleep(5_000)
const before = cpuSeconds(pid)
const idleSeconds = Number(values['idle-seconds'])
await sleep(idleSeconds * 1_000)
report('up idle cpu', { coreShare: (cpuSeconds(pid) - before) / idleSeconds, goal: 0.01 })
report('up resident memory', { MiB: residentBytes(pid) / 2 ** 20, goalMiB: 120 })
