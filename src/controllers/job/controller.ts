import { isDeepStrictEqual } from 'node:util'
import { isJobFinished } from '#api/batch/v1/job-facts.ts'
import { isPodActive } from '#api/core/v1/pod-facts.ts'
import { matcherOf } from '#api/meta/labels.ts'
import { controllerOf } from '#api/meta/owner.ts'
import { keyOf, splitKey, type New } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Job, JobStatus } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { jobs, pods } from '#api/types/resources.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { applyClaims } from '../apply-claims.ts'
import { withoutZeros } from '../counts.ts'
import { candidatesFor, decideClaims, ownerKeys, type OwnerKind } from '../owned-objects.ts'
import { createPod, deletePod, isNamespaceTerminating } from '../pod-from-template.ts'
import { slowStart } from '../slow-start.ts'
import { deadlineLeftMs, decideOutcome, decidePods } from './decide.ts'
import { failuresAfter, retryLeftMs } from './index-failures.ts'
import { countForeign, countIndexes, countJob, countPods } from './job-metrics.ts'
import { jobPod } from './job-pod.ts'
import { RetryMemory } from './retry-memory.ts'
import { decideStatus } from './status.ts'
import { isHeld, tallyPods, trackingFinalizer, type Tally } from './tally.ts'

/** Most pods created in one round. */
const burst = 500
const ownName = 'kubernetes.io/job-controller'

const owner: OwnerKind<Job> = { resource: jobs, matcherOf: (job) => matcherOf(job.spec.selector) }

/** Runs pods until enough of them have succeeded. */
export function jobController(): Controller {
  const retries = new RetryMemory()
  return defineController({
    name: 'job-controller',
    watches: [watchOf(jobs, keyOfJob), watchOf(pods, keysOfPod)],
    writes: [
      { resource: pods, verbs: ['create', 'delete', 'patch'] },
      { resource: jobs, verbs: ['get'] },
      { resource: jobs, subresource: 'status', verbs: ['update'] },
    ],
    reconcile: (key, context) => {
      return key.startsWith('pod|') ? freePod(key.slice(4), context) : reconcile(key, context, retries)
    },
  })
}

const jobKeysOf = ownerKeys(owner)

function isForeign({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== ownName
}

function keyOfJob(job: Job, { metrics }: ControllerContext, previous?: Job): readonly string[] {
  if (isForeign(job) && previous === undefined && job.metadata.deletionTimestamp === undefined) {
    countForeign(metrics, job.spec.managedBy ?? '')
  }
  return [keyOf(job)]
}

/** Job keys, and `pod|namespace/name` for a pod that no job holds any more although it has the finalizer. */
function keysOfPod(pod: Pod, context: ControllerContext, previous?: Pod): readonly string[] {
  const keys = jobKeysOf(pod, context, previous)
  return isHeld(pod) && ownerOf(pod, context) === undefined ? [...keys, `pod|${keyOf(pod)}`] : keys
}

function ownerOf(pod: Pod, { informers }: ControllerContext): Job | undefined {
  const controller = controllerOf(pod)
  if (controller?.kind !== 'Job') return undefined
  const job = informers.of(jobs).get(controller.name, pod.metadata.namespace)
  return job?.metadata.uid === controller.uid ? job : undefined
}

async function freePod(key: string, context: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const pod = context.informers.of(pods).get(name, namespace)
  if (pod !== undefined && isHeld(pod) && ownerOf(pod, context) === undefined) await release(context, [pod])
}

async function reconcile(
  key: string,
  context: ControllerContext,
  retries: RetryMemory,
): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const job = informers.of(jobs).get(name, namespace)
  if (job === undefined) return freeFormer(context, key)
  if (isForeign(job)) return
  const candidates = candidatesFor(informers.of(pods), job)
  const claims = decideClaims(job, owner.matcherOf(job), candidates)
  const owned = await applyClaims(context, { owner: jobs, dependent: pods }, job, claims)
  if (isJobFinished(job)) return release(context, owned.filter(isHeld))
  const nowMs = clock.now()
  const first = tallyPods(job, owned)
  const outcome = decideOutcome(job, owned, first, nowMs)
  const tally = outcome?.type === 'Failed' ? tallyPods(job, owned, true) : first
  const status = decideStatus(job, owned, tally, outcome, nowMs)
  await writeStatus(context, job, status)
  countPods(context.metrics, job, tally)
  retries.note(job.metadata.uid, owned, tally)
  await release(context, tally.release)
  if (outcome !== undefined) return end(context, job, owned)
  const waitMs = await applyPods(context, job, owned, tally, retries)
  const waits = [waitMs, deadlineLeftMs({ ...job, status }, nowMs)].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.max(0, Math.min(...waits)) + 1 }
}

/** Pods of a job that is gone must not be held by it. */
async function freeFormer(context: ControllerContext, key: string): Promise<void> {
  const heldBy = context.informers.of(pods).index('held-by-job', (pod) => {
    const controller = controllerOf(pod)
    return isHeld(pod) && controller?.kind === 'Job' ? [`${pod.metadata.namespace}/${controller.name}`] : []
  })
  await release(context, heldBy(key))
}

async function writeStatus({ client, events, metrics }: ControllerContext, job: Job, status: JobStatus): Promise<void> {
  if (isDeepStrictEqual(withoutZeros(job.status ?? {}), withoutZeros(status))) return
  await client.resource(jobs, job.metadata.namespace).updateStatus({ ...job, status: withoutZeros(status) })
  countIndexes(metrics, job, status)
  const old = new Set(job.status?.conditions?.map(({ type, status }) => `${type} ${status}`))
  for (const { type, status: state, reason = '', message = '' } of status.conditions ?? []) {
    if (old.has(`${type} ${state}`)) continue
    const isEnd = (type === 'Complete' || type === 'Failed') && state === 'True'
    if (isEnd) countJob(metrics, job, { hasFailed: type === 'Failed', reason })
    if (type === 'Complete') events.record(job, 'Normal', 'Completed', 'Job completed')
    if (type === 'Failed') events.record(job, 'Warning', reason, message)
    if (type === 'Suspended') events.record(job, 'Normal', state === 'True' ? 'Suspended' : 'Resumed', message)
  }
}

/** Takes the finalizer off, so that the pods can go. */
async function release({ client }: ControllerContext, held: readonly Pod[]): Promise<void> {
  await Promise.all(
    held.map(async ({ metadata }) => {
      const { uid, resourceVersion } = metadata
      const left = (metadata.finalizers ?? []).filter((name) => name !== trackingFinalizer)
      const change = { uid, resourceVersion, finalizers: left.length === 0 ? null : left }
      await client
        .resource(pods, metadata.namespace)
        .patch(metadata.name, { type: 'merge', patch: { metadata: change } })
        .catch((error: unknown) => {
          if (!isStatusError(error, 'NotFound')) throw error
        })
    }),
  )
}

/** Stops what still runs. */
async function end(context: ControllerContext, job: Job, owned: readonly Pod[]): Promise<void> {
  await removePods(context, job, owned.filter(isPodActive))
}

/** A pod that the job itself stops is no failure: it is let go before it is deleted. */
async function removePods(context: ControllerContext, job: Job, surplus: readonly Pod[]): Promise<void> {
  await release(context, surplus.filter(isHeld))
  await Promise.all(surplus.map((pod) => deletePod(context, job, pod)))
}

/** Milliseconds until the next try, where pods keep failing. */
async function applyPods(
  context: ControllerContext,
  job: Job,
  owned: readonly Pod[],
  tally: Tally,
  retries: RetryMemory,
): Promise<number | undefined> {
  if (job.metadata.deletionTimestamp !== undefined) return undefined
  const changes = decidePods(job, owned, tally)
  await removePods(context, job, changes.delete)
  if (changes.create.length === 0) return undefined
  if (job.spec.backoffLimitPerIndex !== undefined) return createByIndex(context, job, changes.create, tally)
  const leftMs = retries.leftMs(job.metadata.uid, context.clock)
  if (leftMs > 0) return leftMs
  await createPods(
    context,
    job,
    changes.create.map((index) => jobPod(job, index)),
  )
  return undefined
}

/** Each index waits by itself after its failures. Answers milliseconds until the next one may be tried. */
async function createByIndex(
  context: ControllerContext,
  job: Job,
  indexes: readonly (number | undefined)[],
  { keptBack }: Tally,
): Promise<number | undefined> {
  const nowMs = context.clock.now()
  const wanted: New<Pod>[] = []
  const waits: number[] = []
  for (const index of indexes) {
    const failed = index === undefined ? undefined : keptBack.get(index)
    const leftMs = failed === undefined ? 0 : retryLeftMs(job, failed, nowMs)
    if (leftMs > 0) waits.push(leftMs)
    else wanted.push(jobPod(job, index, failed === undefined ? undefined : failuresAfter(job, failed)))
  }
  await createPods(context, job, wanted)
  return waits.length === 0 ? undefined : Math.min(...waits)
}

async function createPods(context: ControllerContext, job: Job, wanted: readonly New<Pod>[]): Promise<void> {
  const some = wanted.slice(0, burst)
  const { error } = await slowStart(
    some.length,
    async (at) => void (await createPod(context, job, some[at] as New<Pod>)),
  )
  if (error !== undefined && !isNamespaceTerminating(error)) throw error
}
