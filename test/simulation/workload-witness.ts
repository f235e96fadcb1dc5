import { isPodActive, isPodAvailable } from '#api/core/v1/pod-facts.ts'
import { controllerOf } from '#api/meta/owner.ts'
import type { Deployment, ReplicaSet, StatefulSet } from '#api/types/apps.v1.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { deployments, jobs, pods, replicaSets, statefulSets } from '#api/types/resources.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { WholeCluster } from './whole-cluster.ts'

/** Sees every change of workloads and pods and notes what must never be. */
export interface WorkloadWitness {
  /** One sentence for each breach. */
  readonly breaches: readonly string[]
  /** Uids of the pods of a job that were seen to succeed. */
  succeeded(job: string): ReadonlySet<string>
  /** From now on the Deployment must keep its availability, too. */
  holdAvailability(deployment: string): void
}

export async function watchWorkloads(cluster: WholeCluster, signal: AbortSignal): Promise<WorkloadWitness> {
  const witness = new Witness(() => cluster.clock.monotonic())
  await Promise.all([
    follow(cluster, deployments, signal, (name, object) => witness.deployment(name, object)),
    follow(cluster, replicaSets, signal, (name, object) => witness.sets.set(name, object)),
    follow(cluster, statefulSets, signal, (name, object) => witness.statefulSets.set(name, object)),
    follow(cluster, jobs, signal, (name, object) => witness.jobs.set(name, object)),
    follow(cluster, pods, signal, (name, object) => witness.pod(name, object)),
  ])
  return witness
}

async function follow<T extends KubernetesObject>(
  { client }: WholeCluster,
  resource: Resource<T>,
  signal: AbortSignal,
  note: (name: string, object: T | undefined) => void,
): Promise<void> {
  const { resourceVersion } = await client.resource(resource, 'test').list()
  const loop = async (): Promise<void> => {
    for await (const event of client.resource(resource, 'test').watch({ resourceVersion, signal })) {
      if (event.type === 'BOOKMARK') continue
      note(event.object.metadata.name, event.type === 'DELETED' ? undefined : event.object)
    }
  }
  void loop().catch(() => undefined)
}

/** How far behind a controller may be. */
const longestLagMs = 1_000

class Witness implements WorkloadWitness {
  readonly breaches: string[] = []
  readonly sets = new Map<string, ReplicaSet | undefined>()
  readonly statefulSets = new Map<string, StatefulSet | undefined>()
  readonly jobs = new Map<string, Job | undefined>()
  readonly #deployments = new Map<string, Deployment>()
  /** The highest number of replicas that a controller may still believe in. */
  readonly #believed = new Map<string, number>()
  readonly #pods = new Map<string, Pod>()
  readonly #succeeded = new Map<string, Set<string>>()
  readonly #steady = new Set<string>()
  readonly #now: () => number
  /** When pods went: a controller whose cache lags may not know it yet. */
  readonly #goneAtMs = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  succeeded(job: string): ReadonlySet<string> {
    return this.#succeeded.get(job) ?? new Set()
  }

  holdAvailability(deployment: string): void {
    this.#steady.add(deployment)
  }

  deployment(name: string, object: Deployment | undefined): void {
    if (object === undefined) {
      this.#deployments.delete(name)
      return
    }
    const before = this.#deployments.get(name)?.spec.replicas ?? 0
    const isObserved = object.status?.observedGeneration === object.metadata.generation
    const now = object.spec.replicas ?? 1
    this.#believed.set(name, isObserved ? now : Math.max(now, before, this.#believed.get(name) ?? 0))
    this.#deployments.set(name, object)
  }

  pod(name: string, pod: Pod | undefined): void {
    const isNew = pod !== undefined && !this.#pods.has(name)
    if (pod === undefined) {
      this.#pods.delete(name)
      this.#goneAtMs.set(name, this.#now())
    } else this.#pods.set(name, pod)
    const owner = pod && controllerOf(pod)
    if (pod === undefined || owner === undefined) return
    if (owner.kind === 'ReplicaSet') this.#checkDeployment(owner.name, isNew)
    if (owner.kind === 'StatefulSet' && isNew) this.#checkOrdinal(owner.name, pod)
    if (owner.kind === 'Job') this.#checkJob(owner.name, pod, isNew)
  }

  #checkDeployment(setName: string, isNew: boolean): void {
    const set = this.sets.get(setName)
    const name = set && controllerOf(set)?.name
    const deployment = name === undefined ? undefined : this.#deployments.get(name)
    if (name === undefined || deployment === undefined) return
    const own = [...this.#pods.values()].filter((pod) => pod.metadata.labels?.['app'] === name)
    const { maxSurge = 0, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {}
    const most = (this.#believed.get(name) ?? 0) + Number(maxSurge)
    const active = own.filter(isPodActive).length
    if (isNew && active > most) this.breaches.push(`${name} has ${active} pods, ${most} are allowed`)
    if (!this.#steady.has(name)) return
    const available = own.filter((pod) => isPodActive(pod) && isPodAvailable(pod, 0, 0)).length
    const least = (deployment.spec.replicas ?? 1) - Number(maxUnavailable)
    if (available < least) this.breaches.push(`${name} has ${available} available pods, ${least} are the least`)
  }

  #checkOrdinal(name: string, { metadata }: Pod): void {
    const set = this.statefulSets.get(name)
    if (set === undefined || set.spec.podManagementPolicy === 'Parallel') return
    const ordinal = Number(metadata.name.slice(name.length + 1))
    for (let before = 0; before < ordinal; before++) {
      const wanted = `${name}-${before}`
      const goneAtMs = this.#goneAtMs.get(wanted) ?? -Infinity
      if (this.#pods.has(wanted) || goneAtMs > this.#now() - longestLagMs) continue
      this.breaches.push(`${metadata.name} came before ${wanted}`)
    }
  }

  #checkJob(name: string, pod: Pod, isNew: boolean): void {
    const job = this.jobs.get(name)
    const succeeded = this.#succeeded.get(name) ?? new Set()
    this.#succeeded.set(name, succeeded)
    if (pod.status?.phase === 'Succeeded') succeeded.add(pod.metadata.uid)
    if (job === undefined || !isNew) return
    const active = [...this.#pods.values()].filter((other) => controllerOf(other)?.name === name && isPodActive(other))
    const most = job.spec.parallelism ?? 1
    if (active.length > most) this.breaches.push(`${name} runs ${active.length} pods, ${most} are allowed`)
    const wanted = job.spec.completions ?? 1
    if (succeeded.size + active.length > wanted) {
      this.breaches.push(`${name} has ${succeeded.size} successes and ${active.length} pods for ${wanted} completions`)
    }
  }
}
