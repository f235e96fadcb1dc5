/**
 * Goal: whatever happens to controllers, nodes and pods, workloads keep their promises. Method: a hundred workloads of all
 * kinds under a seeded storm of scaling, updates, lost nodes, deleted pods and killed control loops; a witness of every
 * change checks that there is never more than the surge nor less than what must be available, that a Job runs exactly what
 * it needs, that ordinals come in order; in the end all is as wished, and after deletion nothing is left.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { deployments, nodes } from '#api/types/resources.ts'
import { seededRandom, type Random } from '#lib/random.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import {
  checkJobs,
  deleteWorkloads,
  lastingLabel,
  lateWorkloads,
  programme,
  remains,
  WorkloadStorm,
} from '../simulation/workload-storm.ts'
import { watchWorkloads } from '../simulation/workload-witness.ts'

const hour = { withinMs: 3_600_000 }
const counts = { steady: 10, deployment: 25, replicaSet: 10, statefulSet: 20, daemonSet: 5, job: 30 } as const

/** What happens to the machines and processes of a cluster, besides what happens to its workloads. */
class Storm {
  readonly cluster: WholeCluster
  readonly workloads: WorkloadStorm
  #nodes: string[] = ['n1', 'n2', 'n3']
  #added = 3

  constructor(cluster: WholeCluster, random: Random) {
    this.cluster = cluster
    this.workloads = new WorkloadStorm(cluster.client, random, counts)
  }

  async strike(): Promise<void> {
    const { workloads, cluster } = this
    const strikes = [
      () => workloads.scale(),
      () => workloads.update(),
      () => workloads.scale(),
      () => workloads.update(),
      () => workloads.deletePod(),
      () => this.#restart(),
      () => this.#restart(),
      () => this.#loseNode(),
    ]
    await strikes[workloads.below(strikes.length)]?.()
    await cluster.pass(workloads.below(3) === 0 ? workloads.below(8_000) : workloads.below(20))
  }

  /** The control loops die in the middle of their work, and come back. */
  async #restart(): Promise<void> {
    this.cluster.killManagers()
    await this.cluster.pass(this.workloads.below(2) === 0 ? this.workloads.below(5) : this.workloads.below(3_000))
    await this.cluster.startManagers()
  }

  /** A machine is gone for good; its Node is deleted soon after, and another machine comes. */
  async #loseNode(): Promise<void> {
    const [lost = ''] = this.#nodes.splice(this.workloads.below(this.#nodes.length), 1)
    this.cluster.nodes.get(lost)?.kill()
    await this.cluster.pass(1_000)
    await this.cluster.client.resource(nodes).delete(lost)
    const name = `n${++this.#added}`
    this.#nodes.push(name)
    await this.cluster.addNode(name)
  }

  get nodeCount(): number {
    return this.#nodes.length + 2
  }
}

async function settled({ cluster, nodeCount }: Storm): Promise<void> {
  let late: readonly string[] = []
  const isSettled = async (): Promise<boolean> => {
    late = await lateWorkloads(cluster.client, nodeCount)
    return late.length === 0
  }
  await cluster
    .until('all is as wished', isSettled, hour)
    .catch((error: unknown) => assert.fail(`never as wished: ${late.join(', ')}\n${String(error)}`))
}

interface StormOptions {
  readonly seed: number
  readonly strikes: number
  /** For how long the cache of one kind may stand still while others go on. */
  readonly stallMs: number
}

async function storm(t: TestContext, { seed, strikes, stallMs }: StormOptions): Promise<void> {
  const random = seededRandom(seed)
  const stop = new AbortController()
  const node = { behaviour: { container: programme(random) } }
  const cluster = await wholeCluster(t, { seed, nodes: ['n1', 'n2', 'n3'], node, lagMs: 3, stallMs })
  for (const name of ['lasting-1', 'lasting-2'])
    await cluster.addNode(name, { ...node, labels: { [lastingLabel]: 'yes' } })
  const witness = await watchWorkloads(cluster, stop.signal, 1_000 + stallMs)
  const own = new Storm(cluster, random)
  await own.workloads.createAll()
  await cluster.until('the steady ones are up', async () => {
    const { items } = await cluster.client.resource(deployments, 'test').list()
    return items
      .filter(({ metadata }) => metadata.name.startsWith('steady'))
      .every(({ spec, status }) => status?.availableReplicas === spec.replicas)
  })
  for (const name of own.workloads.names('steady')) witness.holdAvailability(name)
  for (let count = 0; count < strikes; count++) await own.strike()
  await settled(own)
  await checkJobs(cluster.client, witness)
  assert.deepEqual(witness.breaches, [])
  stop.abort()
  await deleteWorkloads(cluster.client)
  await cluster.until('nothing is left', async () => (await remains(cluster.client)).length === 0, hour)
}

const storms = [
  { seed: 2, strikes: 30, stallMs: 0 },
  { seed: 3, strikes: 30, stallMs: 3_000 },
]

for (const options of storms) {
  const { seed, stallMs } = options
  const name = `a hundred workloads keep their promises in a storm (seed ${seed}, caches late by ${stallMs} ms)`
  test(name, (t) => storm(t, options))
}
