import assert from 'node:assert/strict'
import { isJobComplete } from '#api/batch/v1/job-facts.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { PodTemplateSpec } from '#api/types/core.v1.ts'
import {
  controllerRevisions,
  daemonSets,
  deployments,
  jobs,
  pods,
  replicaSets,
  statefulSets,
} from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { ContainerBehaviour } from '#kubelet/simulated/behaviour.ts'
import type { Random } from '#lib/random.ts'
import type { WorkloadWitness } from './workload-witness.ts'

/** How many of each kind; to the steady Deployments nothing but updates and killed processes happen, on nodes that stay. */
export type StormCounts = Readonly<Record<WorkloadKind, number>>
type WorkloadKind = 'steady' | 'deployment' | 'replicaSet' | 'statefulSet' | 'daemonSet' | 'job'

/** The label, with the value `yes`, of nodes that stay. */
export const lastingLabel = 'lasting'

/** Workloads of all kinds in the namespace `test`, and what users and chance do to them. */
export class WorkloadStorm {
  readonly #client: Client
  readonly #random: Random
  readonly #counts: StormCounts

  constructor(client: Client, random: Random, counts: StormCounts) {
    this.#client = client
    this.#random = random
    this.#counts = counts
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
    const client = this.#client
    const create = (resource: Resource<never>, name: string, spec: object): Promise<unknown> =>
      client.resource(resource, 'test').create({ metadata: { name }, spec } as never)
    const owned = (name: string, more: object = {}) => ({
      selector: { matchLabels: { app: name } },
      template: this.#template(name, more),
    })
    for (const name of this.names('steady')) {
      const rollingUpdate = { maxSurge: this.below(2) + 1, maxUnavailable: this.below(2) }
      const spec = {
        replicas: 2 + this.below(3),
        strategy: { type: 'RollingUpdate', rollingUpdate },
        ...owned(name, { nodeSelector: { [lastingLabel]: 'yes' } }),
      }
      await create(deployments as Resource<never>, name, spec)
    }
    for (const name of this.names('deployment')) {
      const rollingUpdate = { maxSurge: 1 + this.below(3), maxUnavailable: this.below(3) }
      await create(deployments as Resource<never>, name, {
        replicas: this.below(5),
        strategy: { type: 'RollingUpdate', rollingUpdate },
        ...owned(name),
      })
    }
    for (const name of this.names('replicaSet'))
      await create(replicaSets as Resource<never>, name, { replicas: this.below(4), ...owned(name) })
    for (const name of this.names('statefulSet')) {
      const podManagementPolicy = this.below(2) === 0 ? 'OrderedReady' : 'Parallel'
      await create(statefulSets as Resource<never>, name, {
        replicas: this.below(4),
        serviceName: name,
        podManagementPolicy,
        ...owned(name),
      })
    }
    for (const name of this.names('daemonSet')) await create(daemonSets as Resource<never>, name, owned(name))
    for (const name of this.names('job')) {
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

  /** Answers with what was written. */
  async scale(): Promise<KubernetesObject> {
    const kind = (['deployment', 'replicaSet', 'statefulSet'] as const)[this.below(3)] ?? 'deployment'
    const patch = { spec: { replicas: this.below(6) } }
    return this.#client.resource(resourceOf[kind], 'test').patch(this.#pick(kind), { type: 'merge', patch })
  }

  /** Answers with what was written. */
  async update(): Promise<KubernetesObject> {
    const kind = (['steady', 'steady', 'deployment', 'statefulSet', 'daemonSet'] as const)[this.below(5)] ?? 'steady'
    const patch = { spec: { template: { spec: { containers: [{ name: 'c', image: `app:${1 + this.below(50)}` }] } } } }
    return this.#client.resource(resourceOf[kind], 'test').patch(this.#pick(kind), { type: 'strategic', patch })
  }

  async deletePod(): Promise<void> {
    const { items } = await this.#client.resource(pods, 'test').list()
    const fair = items.filter(({ metadata }) => !metadata.labels?.['app']?.startsWith('steady'))
    const victim = fair[this.below(fair.length)]
    if (victim === undefined) return
    await this.#client
      .resource(pods, 'test')
      .delete(victim.metadata.name)
      .catch(() => undefined)
  }

  #pick(kind: WorkloadKind): string {
    return `${kind.toLowerCase()}-${this.below(this.#counts[kind])}`
  }

  names(kind: WorkloadKind): readonly string[] {
    return Array.from({ length: this.#counts[kind] }, (_, at) => `${kind.toLowerCase()}-${at}`)
  }
}

const resourceOf = {
  steady: deployments,
  deployment: deployments,
  replicaSet: replicaSets,
  statefulSet: statefulSets,
  daemonSet: daemonSets,
  job: jobs,
} as Readonly<Record<WorkloadKind, Resource<never>>>

/** Containers of jobs end, most of them well; the others run. */
export function programme(random: Random) {
  return (_config: unknown, { labels }: { readonly labels: Readonly<Record<string, string>> }): ContainerBehaviour => {
    if (!labels['app']?.startsWith('job-')) return {}
    return { exitAfterMs: 50 + random.next() * 3_000, exitCode: random.next() < 0.1 ? 1 : 0 }
  }
}

/** Names of the workloads that are not as wished yet. */
export async function lateWorkloads(client: Client, nodeCount: number): Promise<readonly string[]> {
  const all = async <T extends KubernetesObject>(resource: Resource<T>) =>
    (await client.resource(resource, 'test').list()).items
  const late: string[] = []
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
  return late
}

/** Each Job counts what it needed, and ran exactly that. */
export async function checkJobs(client: Client, witness: WorkloadWitness): Promise<void> {
  const { items } = await client.resource(jobs, 'test').list()
  for (const { metadata, spec, status } of items) {
    assert.equal(status?.succeeded, spec.completions, `${metadata.name} counts its completions`)
    assert.equal(witness.succeeded(metadata.name).size, spec.completions, `${metadata.name} ran what it needed`)
  }
}

/** Deletes all workloads. */
export async function deleteWorkloads(client: Client): Promise<void> {
  for (const resource of new Set(Object.values(resourceOf))) {
    await client.resource(resource, 'test').deleteCollection({ body: { propagationPolicy: 'Background' } })
  }
}

/** Names of what is left of deleted workloads. */
export async function remains(client: Client): Promise<readonly string[]> {
  const lists = [pods, replicaSets, controllerRevisions, jobs, deployments].map((resource) =>
    client.resource(resource as Resource, 'test').list(),
  )
  return (await Promise.all(lists)).flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
}
