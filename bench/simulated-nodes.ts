/**
 * What a cluster of simulated nodes costs: `./coracle server --simulated-nodes N` with SQLite, everything in one process.
 * Prints JSON lines: time until the nodes are ready, a rollout of a 1,000-replica Deployment, time until all pods are
 * ready, resident memory and processor time at rest. `--nodes N` (default 1000), `--pods N` (default 10000).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startServer } from '../test/cluster/harness/cluster.ts'
import { eventually } from '../test/cluster/harness/eventually.ts'
import { cpuSeconds, report, residentBytes } from './measure.ts'

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '1000' }, pods: { type: 'string', default: '10000' } },
})
const idleSeconds = 20
const rolloutReplicas = 1_000

const startMs = performance.now()
await using server = await startServer({ storage: 'sqlite', flags: ['--simulated-nodes', values.nodes] })
const { kubectl } = server
const seconds = (sinceMs: number): number => (performance.now() - sinceMs) / 1_000
const residentMiB = (): number => residentBytes(server.pid) / 2 ** 20

await eventually(
  async () => {
    const listed = await kubectl.output('get', 'nodes', '--no-headers')
    return (listed.match(/ Ready /g) ?? []).length === Number(values.nodes) ? true : undefined
  },
  { what: 'the nodes are ready' },
)
report('nodes ready', { nodes: values.nodes, seconds: seconds(startMs), residentMiB: residentMiB() })

await deploy('first', rolloutReplicas)
const rolloutMs = performance.now()
const rolloutCpu = cpuSeconds(server.pid)
await kubectl.output('set', 'image', 'deployment/first', '*=example.test/app:2')
await rolledOut('first')
report('rollout of a Deployment', {
  replicas: rolloutReplicas,
  seconds: seconds(rolloutMs),
  cpuSeconds: cpuSeconds(server.pid) - rolloutCpu,
  goalSeconds: 5,
})

const fillMs = performance.now()
const rest = Number(values.pods) - rolloutReplicas
const names = Array.from({ length: Math.ceil(rest / rolloutReplicas) }, (_, index) => `more-${index}`)
for (const name of names) await create(name, Math.floor(rest / names.length))
for (const name of names) await rolledOut(name)
report('pods ready', {
  pods: values.pods,
  perSecond: rest / seconds(fillMs),
  residentMiB: residentMiB(),
  goalMiB: 1_536,
})

await sleep(5_000)
const cpuBefore = cpuSeconds(server.pid)
await sleep(idleSeconds * 1_000)
const coreShare = (cpuSeconds(server.pid) - cpuBefore) / idleSeconds
report('at rest', { pods: values.pods, coreShare, residentMiB: residentMiB() })
await server.stop()

function create(name: string, replicas: number): Promise<string> {
  return kubectl.output('create', 'deployment', name, '--image=example.test/app:1', `--replicas=${replicas}`)
}

function rolledOut(name: string): Promise<string> {
  return kubectl.output('rollout', 'status', `deployment/${name}`, '--timeout=300s')
}

async function deploy(name: string, replicas: number): Promise<void> {
  const beginMs = performance.now()
  await create(name, replicas)
  await rolledOut(name)
  report('Deployment from nothing', { replicas, seconds: seconds(beginMs) })
}
