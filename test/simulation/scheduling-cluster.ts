import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { builtInCatalog } from '#api/schema/catalog.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { Pod, PodSpec } from '#api/types/core.v1.ts'
import type { ObjectMeta } from '#api/types/meta.v1.ts'
import { events, namespaces, nodes, pods, serviceAccounts } from '#api/types/resources.ts'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { createAuthorizers } from '#apiserver/authz/authorizers.ts'
import { policyObjects } from '#apiserver/bootstrap/policy.ts'
import { createApiServer } from '#apiserver/server.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import { createInformers } from '#client/informers.ts'
import { inProcessTransport } from '#client/in-process-transport.ts'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import type { Profile } from '#scheduler/profile.ts'
import { startScheduler, type Scheduler } from '#scheduler/scheduler.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'

/** The real API server on the memory store and the scheduler with its own rights, over nodes that exist only as objects. */
export interface SchedulingCluster {
  readonly client: Client
  readonly clock: ManualClock
  readonly scheduler: Scheduler
  addNode(name: string, labels?: Record<string, string>, allocatable?: Record<string, string>): Promise<void>
  addPod(name: string, spec?: Partial<PodSpec>, metadata?: Partial<ObjectMeta>): Promise<Pod>
  pod(name: string): Promise<Pod>
  /** Messages of the events of one reason about a pod. */
  told(name: string, reason: string): Promise<readonly string[]>
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>
}

const asUser = (name: string, ...groups: string[]): UserInfo => ({ name, groups })

export async function schedulingCluster(t: TestContext, profiles?: readonly Profile[]): Promise<SchedulingCluster> {
  const clock = manualClock()
  const random = seededRandom(1)
  const lines: string[] = []
  const log = jsonLog({ clock, level: 'warn', write: (line) => lines.push(line) })
  const store = memoryStore()
  const server = createApiServer({
    store,
    clock,
    random,
    log,
    admission: admissionPlugins,
    authorizers: createAuthorizers,
  })
  await server.start()
  await server.bootstrap.ensure(policyObjects(builtInCatalog()))
  const client = createClient(inProcessTransport(server.handle, asUser('admin', 'system:masters')))
  const own = createClient(inProcessTransport(server.handle, asUser('system:kube-scheduler', 'system:authenticated')))
  const informers = createInformers({ client: own, clock, random, log })
  const recorder = createEventRecorder({ client: own, clock, log, component: 'default-scheduler' })
  await client.resource(namespaces).create({ metadata: { name: 'test' }, spec: {} })
  await client.resource(serviceAccounts, 'test').create({ metadata: { name: 'default' } })
  const options = { client: own, informers, events: recorder, clock, random, log }
  const scheduler = startScheduler({ ...options, ...(profiles && { profiles }) })
  t.after(async () => {
    await scheduler.stop()
    await recorder.stop()
    await informers.stop()
    await server.close()
    await store.close()
  })
  return { client, clock, scheduler, ...driving(client, clock, lines) }
}

function driving(client: Client, clock: ManualClock, lines: readonly string[]) {
  const collection = client.resource(pods, 'test')
  return {
    async addNode(name: string, labels: Record<string, string> = {}, allocatable: Record<string, string> = {}) {
      const all = { cpu: '2', memory: '4Gi', pods: '10', ...allocatable }
      const metadata = { name, labels: { 'kubernetes.io/hostname': name, ...labels } }
      const conditions = [{ type: 'Ready', status: 'True' }]
      await client
        .resource(nodes)
        .create({ metadata, spec: {}, status: { allocatable: all, capacity: all, conditions } })
      // New nodes are tainted until a controller has seen them ready: this stands in for it.
      await client.resource(nodes).patch(name, { type: 'merge', patch: { spec: { taints: null } } })
    },
    addPod(name: string, spec: Partial<PodSpec> = {}, metadata: Partial<ObjectMeta> = {}) {
      const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu: '500m' } } }]
      return collection.create({ metadata: { name, ...metadata }, spec: { containers, ...spec } } as Pod)
    },
    pod: (name: string) => collection.get(name),
    async told(name: string, reason: string) {
      const { items } = await client.resource(events, 'test').list()
      return items
        .filter((event) => event.involvedObject.name === name && event.reason === reason)
        .map(({ message = '' }) => message)
    },
    async until(what: string, condition: () => boolean | Promise<boolean>) {
      for (let round = 0; round < 300; round++) {
        if (await condition()) return
        await clock.advance(round < 50 ? 1 : 200)
      }
      assert.fail(`It never came about that ${what}\n${lines.join('\n')}`)
    },
  }
}
