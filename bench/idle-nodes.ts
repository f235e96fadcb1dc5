/**
 * What thousands of nodes cost a server while nothing happens but their leases being renewed, each every 10 seconds.
 * The nodes exist only as objects; this process renews the leases. Prints one JSON line.
 * `node bench/idle-nodes.ts [nodes]`
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { leases, nodes } from '#api/types/resources.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { formatMicroTime, systemClock } from '#lib/clock.ts'
import { startServer } from '../test/cluster/harness/cluster.ts'
import { cpuSeconds, report, residentBytes } from './measure.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const count = Number(positionals[0] ?? 5_000)
const renewMs = 10_000

await using server = await startServer({ storage: 'sqlite' })
const transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock, maxConnections: 32 })
const client = createClient(transport)
const collection = client.resource(leases, 'kube-node-lease')
const nameOf = (index: number): string => `node-${index}`

async function inParallel(work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const loop = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: 32 }, loop))
}

const renewed = () => formatMicroTime(systemClock.now())
await inParallel(async (index) => {
  const name = nameOf(index)
  const allocatable = { cpu: '32', memory: '256Gi', pods: '110' }
  const conditions = [{ type: 'Ready', status: 'True' }]
  await client.resource(nodes).create({ metadata: { name }, status: { allocatable, conditions } } as never)
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: renewed() }
  await collection.create({ metadata: { name }, spec } as never)
})

/** Renews all leases once, evenly over the time. */
async function renewAll(): Promise<void> {
  const startMs = performance.now()
  const started: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const dueMs = startMs + (index * renewMs) / count
    if (performance.now() < dueMs) await sleep(dueMs - performance.now())
    const patch = { spec: { renewTime: renewed() } }
    started.push(collection.patch(nameOf(index), { type: 'merge', patch }))
  }
  await Promise.all(started)
}

// The controllers' part in the arrival of so many nodes is not what is measured.
await renewAll()
const cpuBefore = cpuSeconds(server.pid)
const startMs = performance.now()
await renewAll()
await renewAll()
const seconds = (performance.now() - startMs) / 1_000
const cpu = cpuSeconds(server.pid) - cpuBefore
report(`${count} nodes whose leases renew`, {
  cpuPercent: (cpu * 100) / seconds,
  usPerRenewal: (cpu * 1_000_000) / (count * 2),
  renewalsPerSecond: (count * 2) / seconds,
  residentMiB: residentBytes(server.pid) / 2 ** 20,
})
transport.close()
await server.stop()
