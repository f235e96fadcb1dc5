/**
 * What a kubelet in a process of its own costs at rest: its memory without pods and with a hundred, and the processor
 * time that a hundred idle running pods cost it. Needs root. Prints one JSON line for each figure. `--pods N` (default
 * 100), `--idle-seconds N` (default 30).
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createAgent } from '../test/cluster/harness/agent.ts'
import { coracle, loadImages, startServer } from '../test/cluster/harness/cluster.ts'
import { eventually } from '../test/cluster/harness/eventually.ts'
import { startLan, type LanMember } from '../test/cluster/harness/lan.ts'
import { anonymousBytes, cpuSeconds, report, residentBytes, startedThings } from './measure.ts'

const { values } = parseArgs({
  options: { pods: { type: 'string', default: '100' }, 'idle-seconds': { type: 'string', default: '30' } },
})
const count = Number(values.pods)
const idleSeconds = Number(values['idle-seconds'])

await using things = startedThings()
const lan = things.use(await startLan(2))
const server = things.use(await startServer({ storage: 'sqlite', bindAddress: lan.address }))
const token = (await coracle('token', 'create', '--kubeconfig', server.kubeconfig)).stdout.trim()
const flags = ['--server', server.url, '--token', token, '--node-name', 'node-1']
const agent = things.use(await createAgent(lan.members[0] as LanMember, flags))
agent.start()
await eventually(nodeExists, { what: 'the node is there' })
await server.kubectl.output('wait', '--for=condition=Ready', 'node/node-1', '--timeout=120s')
await loadImages(agent.layout)
const pid = Number(readFileSync(agent.layout.serverPidFile, 'utf8').split(' ')[0])
await idle('no pods')

const startedMs = performance.now()
await server.kubectl.apply(manifest())
await server.kubectl.output('rollout', 'status', 'deployment/idle', '--timeout=300s')
report('pods running', { count, ms: performance.now() - startedMs })
await sleep(20_000)
await idle(`${count} idle pods`)

async function nodeExists(): Promise<true | undefined> {
  return (await server.kubectl.run(['get', 'node', 'node-1'])).code === 0 ? true : undefined
}

async function idle(what: string): Promise<void> {
  const before = cpuSeconds(pid)
  await sleep(idleSeconds * 1_000)
  const coreShare = (cpuSeconds(pid) - before) / idleSeconds
  report(`agent with ${what}`, { coreShare, goal: 0.02, ...memory(), goalMB: 80 })
}

function memory(): Record<string, number> {
  return { residentMB: residentBytes(pid) / 1e6, anonymousMB: anonymousBytes(pid) / 1e6 }
}

function manifest(): object {
  const container = { name: 'c', image: 'coracle.test/busybox:1', command: ['sleep', '100000'] }
  const labels = { app: 'idle' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'idle' },
    spec: {
      replicas: count,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
    },
  }
}
