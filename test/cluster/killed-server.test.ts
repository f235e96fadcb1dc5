/**
 * Goal: whatever moment the control plane dies at, workloads keep their promises and nothing that was acknowledged is
 * lost. Method: the server's process, with its API, database, controllers and scheduler, is killed again and again while
 * workloads are scaled, updated and lose nodes, or nodes their power; the nodes run in this process and go on. While the server is dead, every
 * change that its database has recorded is shown to a witness, in order.
 * `CORACLE_KILL_SECONDS` makes the storm longer, `CORACLE_SEED` repeats one.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { storagePrefix } from '#apiserver/registry/served-resource.ts'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { daemonSets, deployments, namespaces, nodes, serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock as clock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom, type Random } from '#lib/random.ts'
import { openSqliteStore } from '#storage/sqlite/sqlite-store.ts'
import { startKubelet, type KubeletHandle } from '../simulation/simulated-kubelet.ts'
import {
  checkJobs,
  deleteWorkloads,
  lastingLabel,
  lateWorkloads,
  programme,
  remains,
  WorkloadStorm,
} from '../simulation/workload-storm.ts'
import { witnessedKinds, WorkloadWitness } from '../simulation/workload-witness.ts'
import { freePort, startServer, type Server } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'

const seconds = Number(process.env['CORACLE_KILL_SECONDS'] ?? 10)
const seed = Number(process.env['CORACLE_SEED'] ?? Date.now() % 100_000)
const counts = { steady: 6, deployment: 12, replicaSet: 5, statefulSet: 10, daemonSet: 2, job: 15 } as const
const log = jsonLog({ clock, level: 'error', write: () => undefined })

/** Reads the history of a dead server's database, and knows whether what it acknowledged is there. */
class Auditor {
  readonly witness: WorkloadWitness
  readonly #file: string
  readonly #acknowledged = new Map<string, number>()
  readonly #recorded = new Map<string, number>()
  #revision = 0

  constructor(file: string) {
    this.#file = file
    // A controller may know a pod for so many changes longer than it exists.
    this.witness = new WorkloadWitness(() => this.#revision, 100)
  }

  acknowledge({ kind, metadata }: KubernetesObject): void {
    this.#acknowledged.set(`${kind}/${metadata.name}`, Number(metadata.resourceVersion))
  }

  /** To be called while no server runs. */
  async audit(): Promise<void> {
    const store = await openSqliteStore({ path: this.#file, clock, log })
    try {
      const end = store.revision()
      assert.ok(end >= this.#revision, 'revisions never go back')
      if (end > this.#revision) await this.#read(store, end)
    } finally {
      await store.close()
    }
    for (const [name, revision] of this.#acknowledged) {
      assert.ok((this.#recorded.get(name) ?? 0) >= revision, `${name} at ${revision} was acknowledged and is not there`)
    }
    assert.deepEqual(this.witness.breaches, [])
  }

  async #read(store: Awaited<ReturnType<typeof openSqliteStore>>, end: number): Promise<void> {
    const places = [...witnessedKinds, daemonSets].map(({ group, plural }) => ({
      plural,
      prefix: `${storagePrefix(group, plural)}test/`,
    }))
    const done = new AbortController()
    const { signal } = done
    const from = Math.max(this.#revision, store.compactedRevision())
    for await (const events of store.watch('', {
      from,
      signal,
      onProgress: (at) => void (at >= end && done.abort()),
    })) {
      for (const { key, value, revision } of events) {
        this.#revision = revision
        const place = places.find(({ prefix }) => key.startsWith(prefix))
        if (place === undefined) continue
        const name = key.slice(place.prefix.length)
        const object = value && (JSON.parse(Buffer.from(value).toString()) as KubernetesObject)
        if (object !== undefined) this.#recorded.set(`${object.kind}/${name}`, revision)
        this.witness.note(place.plural, name, object)
      }
      if (this.#revision >= end) break
    }
  }
}

/** Nodes in this process that outlive the server. */
class Machines {
  readonly #client: Client
  readonly #random: Random
  readonly #kubelets = new Map<string, KubeletHandle>()
  #added = 0

  constructor(client: Client, random: Random) {
    this.#client = client
    this.#random = random
  }

  get count(): number {
    return this.#kubelets.size
  }

  add(labels: Readonly<Record<string, string>> = {}): void {
    const index = ++this.#added
    this.#start(`${labels[lastingLabel] === undefined ? 'mortal' : 'lasting'}-${index}`, labels)
  }

  #start(name: string, labels: Readonly<Record<string, string>> = {}): void {
    const [, index] = name.split('-')
    const effects = { clock, random: this.#random, log }
    const behaviour = { container: programme(this.#random) }
    const podCidr = `10.200.${index}.0/24`
    this.#kubelets.set(name, startKubelet({ clientAs: () => this.#client, effects, name, podCidr, labels, behaviour }))
  }

  async ready(): Promise<void> {
    const all = async (): Promise<true | undefined> => {
      const { items } = await this.#client.resource(nodes).list()
      return items.filter(isNodeReady).length === this.count || undefined
    }
    await eventually(all, { what: 'all nodes are ready' })
  }

  #anyMortal(): string {
    const mortal = [...this.#kubelets.keys()].filter((name) => name.startsWith('mortal'))
    return mortal[Math.floor(this.#random.next() * mortal.length)] ?? ''
  }

  /** A machine loses its power and comes back: nothing runs on it any more. */
  reboot(): void {
    const name = this.#anyMortal()
    this.#kubelets.get(name)?.kill()
    this.#start(name)
  }

  /** A machine is gone for good; its Node is deleted soon after, and another machine comes. */
  async lose(): Promise<void> {
    const name = this.#anyMortal()
    this.#kubelets.get(name)?.kill()
    this.#kubelets.delete(name)
    this.add()
    const deleted = async (): Promise<true> => {
      await this.#client
        .resource(nodes)
        .delete(name)
        .catch((error: unknown) => {
          if (!isStatusError(error, 'NotFound')) throw error
        })
      return true
    }
    await eventually(deleted, { what: `the node ${name} is deleted` })
  }

  stop(): void {
    for (const kubelet of this.#kubelets.values()) kubelet.kill()
  }
}

/** A server that comes back on the same data, at the same port. */
class MortalServer {
  readonly #dataDir: string
  readonly #port: number
  #running: Server | undefined

  constructor(dataDir: string, port: number) {
    this.#dataDir = dataDir
    this.#port = port
  }

  async start(): Promise<Server> {
    this.#running = await startServer({ storage: 'sqlite', dataDir: this.#dataDir, port: this.#port })
    return this.#running
  }

  async kill(): Promise<void> {
    await this.#running?.stop('SIGKILL')
    await this.#running?.[Symbol.asyncDispose]()
    this.#running = undefined
  }
}

/** What users do: they try, and a server that is away is no reason to stop. A refusal is. */
async function strike(storm: WorkloadStorm, machines: Machines, auditor: Auditor): Promise<void> {
  const strikes = [
    async () => auditor.acknowledge(await storm.scale()),
    async () => auditor.acknowledge(await storm.update()),
    async () => auditor.acknowledge(await storm.update()),
    () => storm.deletePod(),
    () => storm.deletePod(),
  ]
  const at = storm.below(strikes.length * 4)
  try {
    if (at === 0) await machines.lose()
    else if (at === 1) machines.reboot()
    else await strikes[at % strikes.length]?.()
  } catch (error) {
    if (isStatusError(error) && error.code < 500 && !isStatusError(error, 'NotFound', 'Conflict')) throw error
  }
}

async function steadyAreUp(client: Client): Promise<true | undefined> {
  const { items } = await client.resource(deployments, 'test').list()
  const steady = items.filter(({ metadata }) => metadata.name.startsWith('steady'))
  return steady.every(({ spec, status }) => status?.availableReplicas === spec.replicas) || undefined
}

async function prepare(t: TestContext, random: Random) {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const dataDir = join(folder, 'data')
  const server = new MortalServer(dataDir, await freePort())
  t.after(async () => {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  })
  const { kubeconfig } = await server.start()
  const transport = httpsTransport({ ...readKubeconfig(kubeconfig), clock, maxConnections: 1_024 })
  t.after(() => transport.close())
  const client = createClient(transport)
  const machines = new Machines(client, random)
  t.after(() => machines.stop())
  for (let count = 0; count < 2; count++) machines.add({ [lastingLabel]: 'yes' })
  for (let count = 0; count < 3; count++) machines.add()
  await client.resource(namespaces).create({ metadata: { name: 'test' }, spec: {} })
  const account = async (): Promise<unknown> => client.resource(serviceAccounts, 'test').get('default')
  await eventually(account, { what: 'the namespace has its account' })
  await machines.ready()
  return { server, client, machines, auditor: new Auditor(join(dataDir, 'state.db')) }
}

test(
  `workloads keep their promises through kill -9 of the control plane (seed ${seed})`,
  { timeout: 600_000 },
  async (t) => {
    const random = seededRandom(seed)
    const { server, client, machines, auditor } = await prepare(t, random)
    const storm = new WorkloadStorm(client, random, counts)
    await storm.createAll()
    await eventually(() => steadyAreUp(client), { what: 'the steady ones are up', timeoutMs: 60_000 })
    await server.kill()
    await auditor.audit()
    for (const name of storm.names('steady')) auditor.witness.holdAvailability(name)
    await server.start()

    const end = new AbortController()
    const striking = (async () => {
      while (!end.signal.aborted) {
        await strike(storm, machines, auditor)
        await clock.sleep(storm.below(150))
      }
    })()
    const endMs = clock.monotonic() + seconds * 1_000
    let kills = 1
    for (; clock.monotonic() < endMs; kills++) {
      await clock.sleep(storm.below(3) === 0 ? storm.below(300) : storm.below(3_000))
      await server.kill()
      await auditor.audit()
      await server.start()
    }
    end.abort()
    await striking

    let late: readonly string[] = []
    const settled = async (): Promise<true | undefined> => {
      late = await lateWorkloads(client, machines.count)
      return late.length === 0 || undefined
    }
    await eventually(settled, { what: 'all is as wished', timeoutMs: 120_000 }).catch((error: unknown) =>
      assert.fail(`never as wished: ${late.join(', ')}\n${String(error)}`),
    )
    await server.kill()
    await auditor.audit()
    await server.start()
    await checkJobs(client, auditor.witness)
    await deleteWorkloads(client)
    const gone = async (): Promise<true | undefined> => (await remains(client)).length === 0 || undefined
    await eventually(gone, { what: 'nothing is left', timeoutMs: 60_000 })
    t.diagnostic(`${kills + 1} kills`)
  },
)
