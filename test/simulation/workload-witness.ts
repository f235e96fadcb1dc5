import { isPodActive, isPodAvailable } from '#api/core/v1/pod-facts.ts'
import { controllerOf } from '#api/meta/owner.ts'
import type { Deployment, ReplicaSet, StatefulSet } from '#api/types/apps.v1.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { deployments, jobs, pods, replicaSets, statefulSets } from '#api/types/resources.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { WholeCluster } from './whole-cluster.ts'

/** The kinds that a witness must be told of. */
export const witnessedKinds = [deployments, replicaSets, statefulSets, jobs, pods] as readonly Resource[]

/** Shows a witness every change in the namespace `test` of a cluster in this process, whose caches are so late at most. */
export async function watchWorkloads(
  cluster: WholeCluster,
  signal: AbortSignal,
  longestLagMs: number,
): Promise<WorkloadWitness> {
  const witness = new WorkloadWitness(() => cluster.clock.monotonic(), longestLagMs)
  await Promise.all(witnessedKinds.map((resource) => follow(cluster, resource, signal, witness)))
  return witness
}

async function follow(
  { client }: WholeCluster,
  resource: Resource,
  signal: AbortSignal,
  witness: WorkloadWitness,
): Promise<void> {
  const { resourceVersion } = await client.resource(resource, 'test').list()
  const loop = async (): Promise<void> => {
    for await (const event of client.resource(resource, 'test').watch({ resourceVersion, signal })) {
      if (event.type === 'BOOKMARK') continue
      const { name } = event.object.metadata
      witness.note(resource.plural, name, event.type === 'DELETED' ? undefined : event.object)
    }
  }
  void loop().catch(() => undefined)
}

/** Is shown every change of workloads and pods, in order, and notes what must never be. */
export class WorkloadWitness {
  /** One sentence for each breach. */
  readonly breaches: string[] = []
  readonly #sets = new Map<string, ReplicaSet>()
  readonly #statefulSets = new Map<string, StatefulSet>()
  readonly #jobs = new Map<string, Job>()
  readonly #deployments = new Map<string, Deployment>()
  /** The highest number of replicas that a controller may still believe in, of Deployments and of ReplicaSets. */
  readonly #believed = new Map<string, number>()
  readonly #believedOfSets = new Map<string, number>()
  readonly #pods = new Map<string, Pod>()
  readonly #succeeded = new Map<string, Set<string>>()
  readonly #steady = new Set<string>()
  readonly #now: () => number
  readonly #longestLag: number
  /** When pods went: a controller whose cache lags may not know it yet. */
  readonly #goneAtMs = new Map<string, number>()

  /** `longestLag`: how far behind a controller may be, in what `now` counts. */
  constructor(now: () => number, longestLag: number) {
    this.#now = now
    this.#longestLag = longestLag
  }

  /** A change of the object of a kind, by its plural; undefined: it was deleted. */
  note(plural: string, name: string, object: KubernetesObject | undefined): void {
    if (plural === deployments.plural) this.#deployment(name, object as Deployment | undefined)
    if (plural === replicaSets.plural) this.#replicaSet(name, object as ReplicaSet | undefined)
    if (plural === statefulSets.plural) keep(this.#statefulSets, name, object as StatefulSet | undefined)
    if (plural === jobs.plural) keep(this.#jobs, name, object as Job | undefined)
    if (plural === pods.plural) this.#pod(name, object as Pod | undefined)
  }

  /** Uids of the pods of a job that were seen to succeed. */
  succeeded(job: string): ReadonlySet<string> {
    return this.#succeeded.get(job) ?? new Set()
  }

  /** From now on the Deployment must keep its availability, too. */
  holdAvailability(deployment: string): void {
    this.#steady.add(deployment)
  }

  #deployment(name: string, object: Deployment | undefined): void {
    if (object === undefined) {
      this.#deployments.delete(name)
      return
    }
    this.#believed.set(name, believedReplicas(object, this.#deployments.get(name), this.#believed.get(name)))
    this.#deployments.set(name, object)
  }

  #replicaSet(name: string, object: ReplicaSet | undefined): void {
    const believed = object && believedReplicas(object, this.#sets.get(name), this.#believedOfSets.get(name))
    keep(this.#believedOfSets, name, believed)
    keep(this.#sets, name, object)
  }

  /** How many pods the ReplicaSets of a Deployment may still make that they are no longer to have. */
  #belated(deployment: string): number {
    let count = 0
    for (const [name, set] of this.#sets) {
      if (controllerOf(set)?.name !== deployment) continue
      count += (this.#believedOfSets.get(name) ?? 0) - (set.spec.replicas ?? 1)
    }
    return count
  }

  #pod(name: string, pod: Pod | undefined): void {
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
    const set = this.#sets.get(setName)
    const name = set && controllerOf(set)?.name
    const deployment = name === undefined ? undefined : this.#deployments.get(name)
    if (name === undefined || deployment === undefined) return
    const own = [...this.#pods.values()].filter((pod) => pod.metadata.labels?.['app'] === name)
    const { maxSurge = 0, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {}
    const most = (this.#believed.get(name) ?? 0) + Number(maxSurge) + this.#belated(name)
    const active = own.filter(isPodActive).length
    if (isNew && active > most) this.breaches.push(`${name} has ${active} pods, ${most} are allowed`)
    if (!this.#steady.has(name)) return
    const available = own.filter((pod) => isPodActive(pod) && isPodAvailable(pod, 0, 0)).length
    const least = (deployment.spec.replicas ?? 1) - Number(maxUnavailable)
    if (available < least) this.breaches.push(`${name} has ${available} available pods, ${least} are the least`)
  }

  #checkOrdinal(name: string, { metadata }: Pod): void {
    const set = this.#statefulSets.get(name)
    if (set === undefined || set.spec.podManagementPolicy === 'Parallel') return
    const ordinal = Number(metadata.name.slice(name.length + 1))
    for (let before = 0; before < ordinal; before++) {
      const wanted = `${name}-${before}`
      const goneAtMs = this.#goneAtMs.get(wanted) ?? -Infinity
      if (this.#pods.has(wanted) || goneAtMs > this.#now() - this.#longestLag) continue
      this.breaches.push(`${metadata.name} came before ${wanted}`)
    }
  }

  #checkJob(name: string, pod: Pod, isNew: boolean): void {
    const job = this.#jobs.get(name)
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

/** The most that the controller may go by: what was wanted last counts on until it says that it knows what is wanted now. */
function believedReplicas<T extends Deployment | ReplicaSet>(object: T, before: T | undefined, believed = 0): number {
  const now = object.spec.replicas ?? 1
  if (object.status?.observedGeneration === object.metadata.generation) return now
  return Math.max(now, before?.spec.replicas ?? 0, believed)
}

function keep<T>(known: Map<string, T>, name: string, object: T | undefined): void {
  if (object === undefined) known.delete(name)
  else known.set(name, object)
}
