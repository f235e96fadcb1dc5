/**
 * Measures pods bound end to end in one process: API server on the memory store, in-process client, scheduler.
 * Prints one JSON object. `node bench/scheduler-bindings.ts [nodes] [pods]`
 */
import { parseArgs } from 'node:util'
import type { UserInfo } from '#api/meta/exchange.ts'
import { isPodBound } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { namespaces, nodes, pods, serviceAccounts } from '#api/types/resources.ts'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { createApiServer } from '#apiserver/server.ts'
import { createClient } from '#client/create-client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import { createInformers } from '#client/informers.ts'
import { inProcessTransport } from '#client/in-process-transport.ts'
import { keepAlive, systemClock as clock } from '#lib/clock.ts'
import { silentLog as log } from '#lib/log.ts'
import { systemRandom as random } from '#lib/random.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const nodeCount = Number(positionals[0] ?? 1_000)
const podCount = Number(positionals[1] ?? 2_000)
const writers = 32
const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }

using _alive = keepAlive()
const store = memoryStore()
const server = createApiServer({ store, clock, random, log, admission: admissionPlugins })
await server.start()
const client = createClient(inProcessTransport(server.handle, admin))
await client.resource(namespaces).create({ metadata: { name: 'test' }, spec: {} })
await client.resource(serviceAccounts, 'test').create({ metadata: { name: 'default' } })

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const write = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: writers }, write))
}

await inParallel(nodeCount, async (index) => {
  const name = `node-${index}`
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${index % 3}` }
  const allocatable = { cpu: '32', memory: '256Gi', pods: '110' }
  await client.resource(nodes).create({ metadata: { name, labels }, spec: {}, status: { allocatable } })
  await client.resource(nodes).patch(name, { type: 'merge', patch: { spec: { taints: null } } })
})

const informers = createInformers({ client, clock, random, log })
const events = createEventRecorder({ client, clock, log, component: 'default-scheduler' })
const allBound = Promise.withResolvers<void>()
let bound = 0
informers.of(pods).listen({
  updated(pod, previous) {
    if (isPodBound(pod) && !isPodBound(previous) && ++bound === podCount) allBound.resolve()
  },
})
const scheduler = startScheduler({ client, informers, events, clock, random, log })
await informers.synced()
const containers = [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }]
const startMs = performance.now()
const startCpu = process.cpuUsage()
await inParallel(podCount, (index) =>
  client.resource(pods, 'test').create({ metadata: { name: `pod-${index}` }, spec: { containers } } as unknown as Pod),
)
const createdMs = performance.now() - startMs
await allBound.promise
const { user, system } = process.cpuUsage(startCpu)
const figures = {
  bench: 'scheduler/bindings',
  nodes: nodeCount,
  pods: podCount,
  createdMs: Math.round(createdMs),
  perSecond: Math.round(podCount / ((performance.now() - startMs) / 1_000)),
  perCpuSecond: Math.round((podCount / (user + system)) * 1_000_000),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
await scheduler.stop()
await events.stop()
await informers.stop()
await server.close()
await store.close()
