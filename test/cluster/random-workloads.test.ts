/**
 * Goal: whatever happens to controllers, nodes and pods, workloads keep their promises. Method: a hundred workloads of all
 * kinds under a seeded storm of scaling, updates, lost nodes, deleted pods and killed control loops; a witness of every
 * change checks that there is never more than the surge nor less than what must be available, that a Job runs exactly what
 * it needs, that ordinals come in order; in the end all is as wished, and after deletion nothing is left.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { isJobComplete } from '#api/batch/v1/job-facts.ts'
import type { Resource, KubernetesObject } from '#api/meta/resource.ts'
import type { PodTemplateSpec } from '#api/types/core.v1.ts'
import {
  controllerRevisions,
  daemonSets,
  deployments,
  jobs,
  nodes,
  pods,
  replicaSets,
  statefulSets,
} from '#api/types/resources.ts'
import type { ContainerBehaviour } from '#kubelet/simulated/behaviour.ts'
import { seededRandom, type Random } from '#lib/random.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { watchWorkloads, type WorkloadWitness } from '../simulation/workload-witness.ts'

const hour = { withinMs: 3_600_000 }

/** How many of each kind; of the first Deployments nothing but updates and killed processes come, on nodes that stay. */
const counts = { steady: 10, deployment: 25, replicaSet: 10, statefulSet: 20, daemonSet: 5, job: 30 } as const

class Storm {
  readonly cluster: WholeCluster
  readonly witness: WorkloadWitness
  readonly #random: Random
  #nodes: string[] = ['n1', 'n2', 'n3']
  #added = 3

  constructor(cluster: WholeCluster, witness: WorkloadWitness, random: Random) {
    this.cluster = cluster
    this.witness = witness
    this.#random = random
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }

  #template(app: string, more: object = {}): PodTemplateSpec {
    const container = { name: 'c', image: `app:${1 + this.below(50)}` }
    return {
      metadata: { labels: { app } } as never,
      spec: { terminationGracePeriodSeconds: 0, containers: [container], ...more },
    }
  }

  async createAll(): Promise<void> {
    const { client } = this.cluster
    const create = (resource: Resource<never>, name: string, spec: object): Promise<unknown> =>
      client.resource(resource, 'test').create({ metadata: { name }, spec } as never)
    const owned = (name: string, more: object = {}) => ({
      selector: { matchLabels: { app: name } },
      template: this.#template(name, more),
    })
    for (const name of namesOf('steady')) {
      const rollingUpdate = { maxSurge: this.below(2) + 1, maxUnavailable: this.below(2) }
      const spec = {
        replicas: 2 + this.below(3),
        strategy: { type: 'RollingUpdate', rollingUpdate },
        ...owned(name, { nodeSelector: { lasting: 'yes' } }),
      }
      await create(deployments as Resource<never>, name, spec)
    }
    for (const name of namesOf('deployment')) {
      const rollingUpdate = { maxSurge: 1 + this.below(3), maxUnavailable: this.below(3) }
      await create(deployments as Resource<never>, name, {
        replicas: this.below(5),
        strategy: { type: 'RollingUpdate', rollingUpdate },
        ...owned(name),
      })
    }
    for (const name of namesOf('replicaSet'))
      await create(replicaSets as Resource<never>, name, { replicas: this.below(4), ...owned(name) })
    for (const name of namesOf('statefulSet')) {
      const podManagementPolicy = this.below(2) === 0 ? 'OrderedReady' : 'Parallel'
      await create(statefulSets as Resource<never>, name, {
        replicas: this.below(4),
        serviceName: name,
        podManagementPolicy,
        ...owned(name),
      })
    }
    for (const name of namesOf('daemonSet')) await create(daemonSets as Resource<never>, name, owned(name))
    for (const name of namesOf('job')) {
      const completions = 1 + this.below(4)
      const completionMode = this.below(2) === 0 ? 'Indexed' : 'NonIndexed'
      const template = this.#template(name, { restartPolicy: 'Never' })
      await create(jobs as Resource<never>, name, {
        completions,
        completionMode,
        parallelism: 1 + this.below(3),
        backoffLimit: 100,
        template,
      })
    }
  }

  async strike(): Promise<void> {
    const strikes = [
      this.#scale,
      this.#update,
      this.#scale,
      this.#update,
      this.#deletePod,
      this.#restart,
      this.#restart,
      this.#loseNode,
    ]
    await strikes[this.below(strikes.length)]?.call(this)
    await this.cluster.pass(this.below(3) === 0 ? this.below(8_000) : this.below(20))
  }

  async #scale(): Promise<void> {
    const kind = (['deployment', 'replicaSet', 'statefulSet'] as const)[this.below(3)] ?? 'deployment'
    const patch = { spec: { replicas: this.below(6) } }
    await this.cluster.client.resource(resourceOf[kind], 'test').patch(this.#pick(kind), { type: 'merge', patch })
  }

  async #update(): Promise<void> {
    const kind = (['steady', 'steady', 'deployment', 'statefulSet', 'daemonSet'] as const)[this.below(5)] ?? 'steady'
    const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: `app:${1 + this.below(50)}` }] } } } }
    await this.cluster.client.resource(resourceOf[kind], 'test').patch(this.#pick(kind), { type: 'strategic', patch })
  }

  async #deletePod(): Promise<void> {
    const { items } = await this.cluster.client.resource(pods, 'test').list()
    const fair = items.filter(({ metadata }) => !metadata.labels?.['app']?.startsWith('steady'))
    const victim = fair[this.below(fair.length)]
    if (victim === undefined) return
    await this.cluster.client
      .resource(pods, 'test')
      .delete(victim.metadata.name)
      .catch(() => undefined)
  }

  /** The control loops die in the middle of their work, and come back. */
  async #restart(): Promise<void> {
    this.cluster.killManagers()
    await this.cluster.pass(this.below(2) === 0 ? this.below(5) : this.below(3_000))
    await this.cluster.startManagers()
  }

  /** A machine is gone for good; its Node is deleted soon after, and another machine comes. */
  async #loseNode(): Promise<void> {
    const [lost = ''] = this.#nodes.splice(this.below(this.#nodes.length), 1)
    this.cluster.nodes.get(lost)?.kill()
    await this.cluster.pass(1_000)
    await this.cluster.client.resource(nodes).delete(lost)
    const name = `n${++this.#added}`
    this.#nodes.push(name)
    await this.cluster.addNode(name)
  }

  #pick(kind: keyof typeof counts): string {
    return `${kind.toLowerCase()}-${this.below(counts[kind])}`
  }

  get nodeCount(): number {
    return this.#nodes.length + 2
  }
}

const resourceOf = {
  steady: deployments,
  deployment: deployments,
  replicaSet: replicaSets,
  statefulSet: statefulSets,
  daemonSet: daemonSets,
  job: jobs,
} as Readonly<Record<keyof typeof counts, Resource<never>>>

function namesOf(kind: keyof typeof counts): readonly string[] {
  return Array.from({ length: counts[kind] }, (_, at) => `${kind.toLowerCase()}-${at}`)
}

/** Containers of jobs end, most of them well; the others run. */
function programme(random: Random) {
  return (_config: unknown, { labels }: { readonly labels: Readonly<Record<string, string>> }): ContainerBehaviour => {
    if (!labels['app']?.startsWith('job-')) return {}
    return { exitAfterMs: 50 + random.next() * 3_000, exitCode: random.next() < 0.1 ? 1 : 0 }
  }
}

async function settled({ cluster, nodeCount }: Storm): Promise<void> {
  const { client } = cluster
  const all = async <T extends KubernetesObject>(resource: Resource<T>) =>
    (await client.resource(resource, 'test').list()).items
  const late: string[] = []
  await cluster
    .until(
      'all is as wished',
      async () => {
        late.length = 0
        const expect = (isDone: boolean, name: string): void => void (isDone || late.push(name))
        for (const { metadata, spec, status } of await all(deployments)) {
          const wanted = spec.replicas ?? 1
          expect(
            (status?.availableReplicas ?? 0) === wanted &&
              (status?.updatedReplicas ?? 0) === wanted &&
              (status?.replicas ?? 0) === wanted,
            metadata.name,
          )
        }
        for (const { metadata, spec, status } of await all(replicaSets))
          expect((status?.availableReplicas ?? 0) === spec.replicas, metadata.name)
        for (const { metadata, spec, status } of await all(statefulSets)) {
          const wanted = spec.replicas ?? 1
          expect(
            (status?.readyReplicas ?? 0) === wanted &&
              (status?.updatedReplicas ?? 0) === wanted &&
              status?.replicas === wanted,
            metadata.name,
          )
        }
        for (const { metadata, status } of await all(daemonSets)) {
          expect(status?.numberReady === nodeCount && status.updatedNumberScheduled === nodeCount, metadata.name)
        }
        for (const job of await all(jobs)) expect(isJobComplete(job), job.metadata.name)
        return late.length === 0
      },
      hour,
    )
    .catch((error: unknown) => assert.fail(`never as wished: ${late.join(', ')}\n${String(error)}`))
}

async function checkJobs({ cluster, witness }: Storm): Promise<void> {
  const { items } = await cluster.client.resource(jobs, 'test').list()
  for (const { metadata, spec, status } of items) {
    assert.equal(status?.succeeded, spec.completions, `${metadata.name} counts its completions`)
    assert.equal(witness.succeeded(metadata.name).size, spec.completions, `${metadata.name} ran what it needed`)
  }
}

async function checkNothingIsLeft({ cluster: { client, until } }: Storm): Promise<void> {
  for (const resource of new Set(Object.values(resourceOf))) {
    await client.resource(resource, 'test').deleteCollection({ body: { propagationPolicy: 'Background' } })
  }
  const left = async (): Promise<readonly string[]> => {
    const lists = [pods, replicaSets, controllerRevisions, jobs, deployments].map((resource) =>
      client.resource(resource as Resource, 'test').list(),
    )
    return (await Promise.all(lists)).flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
  }
  await until('nothing is left', async () => (await left()).length === 0, hour)
}

async function storm(t: TestContext, seed: number, strikes: number): Promise<void> {
  const random = seededRandom(seed)
  const stop = new AbortController()
  const node = { behaviour: { container: programme(random) } }
  const cluster = await wholeCluster(t, { seed, nodes: ['n1', 'n2', 'n3'], node, lagMs: 3 })
  for (const name of ['lasting-1', 'lasting-2']) await cluster.addNode(name, { ...node, labels: { lasting: 'yes' } })
  const witness = await watchWorkloads(cluster, stop.signal)
  const own = new Storm(cluster, witness, random)
  await own.createAll()
  await cluster.until('the steady ones are up', async () => {
    const { items } = await cluster.client.resource(deployments, 'test').list()
    return items
      .filter(({ metadata }) => metadata.name.startsWith('steady'))
      .every(({ spec, status }) => status?.availableReplicas === spec.replicas)
  })
  for (const name of namesOf('steady')) witness.holdAvailability(name)
  for (let count = 0; count < strikes; count++) await own.strike()
  await settled(own)
  await checkJobs(own)
  assert.deepEqual(witness.breaches, [])
  stop.abort()
  await checkNothingIsLeft(own)
}

for (const seed of [2, 3]) {
  test(`a hundred workloads keep their promises in a storm (seed ${seed})`, (t) => storm(t, seed, 30))
}
