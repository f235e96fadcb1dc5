import { isPodReady, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { isControlledBy } from '#api/meta/owner.ts'
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '#api/types/apps.v1.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod, ReplicationController } from '#api/types/core.v1.ts'
import { pods, replicaSets } from '#api/types/resources.ts'
import { explainPod } from './explain-pod.ts'
import { readPodFacts } from './read-pod-facts.ts'
import { fine, troubled, type WhyReport } from './why-report.ts'
import type { WhyReader } from './why-reader.ts'
import { workloadFindings, type Workload } from './workload-findings.ts'

/** Why the newest ReplicaSet of a Deployment does not stand, or the Deployment goes no further. */
export async function explainDeployment(object: Deployment, reader: WhyReader): Promise<WhyReport> {
  const { metadata, spec, status } = object
  const { namespace = '', name } = metadata
  const of = { kind: 'Deployment', namespace, name }
  const wanted = spec?.replicas ?? 1
  const { availableReplicas = 0, updatedReplicas = 0, replicas = 0, observedGeneration = 0 } = status ?? {}
  const isSeen = observedGeneration >= (metadata.generation ?? 0)
  if (isSeen && availableReplicas === wanted && updatedReplicas === wanted && replicas === wanted) {
    return fine(of, `${countOf(wanted)} of its newest template, available`)
  }
  const chain = [`deployment ${name} wants ${countOf(wanted)}, and ${availableReplicas} are available`]
  const own = workloadFindings({ ...object, status: undefined } as Workload, [])
  const summary = 'it does not have the pods that it wants'
  if (!isSeen) {
    const finding = {
      reason: 'NotObserved',
      message: 'the deployment controller has not looked at it since it was changed',
      remedies: ['make sure that the controllers run'],
    }
    return troubled(of, summary, [...own, finding], { chain })
  }
  const newest = (await reader.list(replicaSets, namespace))
    .filter((set) => isControlledBy(set, object))
    .sort((a, b) => revisionOf(b) - revisionOf(a))[0]
  return newest
    ? nested(of, summary, chain, own, await explainReplicas(newest, reader))
    : troubled(of, summary, own, { chain })
}

function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)
}

/** Why a set does not have the ready pods that it wants. */
export function explainReplicas(
  object: ReplicaSet | StatefulSet | ReplicationController,
  reader: WhyReader,
): Promise<WhyReport> {
  const { spec, status } = object
  return explainPods(object, { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 }, reader)
}

/** Why not every node that should has a ready pod. */
export function explainDaemonSet(object: DaemonSet, reader: WhyReader): Promise<WhyReport> {
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = object.status ?? {}
  return explainPods(object, { wanted, ready }, reader)
}

/** Why a Job has not come to its end. */
export async function explainJob(object: Job, reader: WhyReader): Promise<WhyReport> {
  const { metadata, spec, status } = object
  const of = { kind: 'Job', namespace: metadata.namespace ?? '', name: metadata.name }
  const has = (type: string) => status?.conditions?.some((each) => each.type === type && each.status === 'True')
  if (has('Complete')) return fine(of, 'it is complete')
  const { active = 0, ready = 0, succeeded = 0, failed = 0 } = status ?? {}
  if (active > 0 && ready === active) return fine(of, `${countOf(active)} of it run`)
  const wanted = spec?.completions ?? spec?.parallelism ?? 1
  const chain = [
    `job ${of.name} wants ${wanted} completions, ${succeeded} are done, ${active} run, ${failed} have failed`,
  ]
  return belowPods(object, of, chain, reader)
}

async function explainPods(
  object: Workload,
  { wanted, ready }: { readonly wanted: number; readonly ready: number },
  reader: WhyReader,
): Promise<WhyReport> {
  const { kind, metadata } = object
  const of = { kind, namespace: metadata.namespace ?? '', name: metadata.name }
  if (ready >= wanted) return fine(of, wanted === 0 ? 'it wants no pods' : `${countOf(wanted)}, all ready`)
  const chain = [`${kind.toLowerCase()} ${of.name} wants ${countOf(wanted)}, and ${ready} are ready`]
  return belowPods(object, of, chain, reader)
}

type Subject = Pick<WhyReport, 'kind' | 'namespace' | 'name'>

/** What keeps it from making pods, and why the first of those it made does not run. */
async function belowPods(
  object: Workload,
  of: Subject,
  chain: readonly string[],
  reader: WhyReader,
): Promise<WhyReport> {
  const own = workloadFindings(object, await reader.eventsOf(object))
  const summary = 'it does not have the pods that it wants'
  const namespace = of.namespace ?? ''
  const unwell = (await reader.list(pods, namespace)).filter((pod) => isControlledBy(pod, object) && !isWell(pod))
  const reports = await Promise.all(
    unwell.slice(0, maxPodsLookedAt).map(async (pod) => explainPod(await readPodFacts(pod, reader))),
  )
  const worst = reports.find(({ state }) => state === 'stuck') ?? reports[0]
  return worst ? nested(of, summary, chain, own, worst) : troubled(of, summary, own, { chain, notes: reader.notes })
}

const maxPodsLookedAt = 5

function isWell(pod: Pod): boolean {
  return isPodReady(pod) || (isPodTerminal(pod) && pod.status?.phase === 'Succeeded')
}

function nested(
  of: Subject,
  summary: string,
  chain: readonly string[],
  own: WhyReport['causes'],
  below: WhyReport,
): WhyReport {
  const { nodes, notes } = below
  return troubled(of, summary, [...own, ...below.causes], { chain: [...chain, ...below.chain], nodes, notes })
}

function countOf(pods: number): string {
  return pods === 1 ? '1 pod' : `${pods} pods`
}
