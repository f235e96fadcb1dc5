import { isDeepStrictEqual } from 'node:util'
import { isJobComplete, isJobFinished } from '#api/batch/v1/job-facts.ts'
import { controllerOf, isControlledBy } from '#api/meta/owner.ts'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { CronJob, CronJobStatus, Job } from '#api/types/batch.v1.ts'
import type { ObjectReference } from '#api/types/core.v1.ts'
import { cronJobs, jobs } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { growingBuckets } from '#lib/metrics/metric-set.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { controlledBy } from '../owned-objects.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import { decideTiming, jobFor, jobName, surplusHistory } from './decide.ts'

/** A job starts so long after its time, so that it never starts before by a clock that runs a little ahead. */
const startDelayMs = 100

const skewHelp = 'Time between when a cronjob is scheduled to be run, and when the corresponding job is created'
const skewBuckets = growingBuckets(1, 2, 10)

/** Makes a job at each time of a schedule. */
export const cronJobController = defineController({
  name: 'cronjob-controller',
  watches: [watchOf(cronJobs), watchOf(jobs, cronJobOf)],
  writes: [
    { resource: cronJobs, subresource: 'status', verbs: ['update'] },
    { resource: jobs, verbs: ['create', 'delete', 'get'] },
  ],
  reconcile,
})

function cronJobOf(job: Job): readonly string[] {
  const owner = controllerOf(job)
  return owner?.kind === 'CronJob' && owner.apiVersion === 'batch/v1' ? [`${job.metadata.namespace}/${owner.name}`] : []
}

/** The parts of the status that a run changes before it is written. */
interface Draft {
  active: readonly ObjectReference[]
  lastScheduleTime: string | undefined
  lastSuccessfulTime: string | undefined
}

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const cronJob = context.informers.of(cronJobs).get(name, namespace)
  if (cronJob === undefined) return
  const { active = [], lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {}
  const draft: Draft = { active, lastScheduleTime, lastSuccessfulTime }
  const owned = controlledBy(context.informers.of(jobs), cronJob.metadata.uid)
  for (const job of surplusHistory(cronJob, owned)) await deleteJob(context, cronJob, job.metadata)
  noteEnds(context, cronJob, owned, draft)
  await forgetMissing(context, cronJob, owned, draft)
  try {
    if (cronJob.metadata.deletionTimestamp === undefined && !cronJob.spec.suspend) {
      return await startDue(context, cronJob, draft)
    }
  } finally {
    await writeStatus(context, cronJob, draft)
  }
}

function noteEnds({ events }: ControllerContext, cronJob: CronJob, owned: readonly Job[], draft: Draft): void {
  for (const job of owned) {
    const { uid, name } = job.metadata
    const isKnown = draft.active.some((reference) => reference.uid === uid)
    if (!isJobFinished(job)) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`
      if (!isKnown) events.record(cronJob, 'Warning', 'UnexpectedJob', message)
      continue
    }
    if (isKnown) {
      draft.active = draft.active.filter((reference) => reference.uid !== uid)
      const condition = isJobComplete(job) ? 'Complete' : 'Failed'
      events.record(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${condition}`)
    }
    const end = isJobComplete(job) ? job.status?.completionTime : undefined
    if (end !== undefined && end > (draft.lastSuccessfulTime ?? '')) draft.lastSuccessfulTime = end
  }
}

async function forgetMissing(
  { client, events }: ControllerContext,
  cronJob: CronJob,
  owned: readonly Job[],
  draft: Draft,
): Promise<void> {
  const known = new Set(owned.map(({ metadata }) => metadata.uid))
  for (const { name = '', uid } of draft.active.filter((reference) => !known.has(reference.uid ?? ''))) {
    // The informer may not have seen it yet: only the server can say that it is gone.
    const job = await client.resource(jobs, cronJob.metadata.namespace).get(name).catch(absent)
    if (job?.metadata.uid === uid) continue
    draft.active = draft.active.filter((reference) => reference.uid !== uid)
    events.record(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
  }
}

function absent(error: unknown): undefined {
  if (!isStatusError(error, 'NotFound')) throw error
}

async function startDue(
  context: ControllerContext,
  cronJob: CronJob,
  draft: Draft,
): Promise<ReconcileResult | undefined> {
  const { events, clock } = context
  const nowMs = clock.now()
  const { dueMs, hasMissedMany, nextMs } = decideTiming(cronJob, nowMs)
  if (hasMissedMany) {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
    events.record(cronJob, 'Warning', 'TooManyMissedTimes', message)
  }
  const again = nextMs === undefined ? undefined : { requeueAfterMs: nextMs - nowMs + startDelayMs }
  if (dueMs === undefined) {
    noteMissed(context, cronJob, nowMs)
    return again
  }
  const name = jobName(cronJob, dueMs)
  if (draft.active.some((reference) => reference.name === name)) return again
  const { concurrencyPolicy } = cronJob.spec
  if (concurrencyPolicy === 'Forbid' && draft.active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    events.record(cronJob, 'Normal', 'JobAlreadyActive', message)
    return again
  }
  if (concurrencyPolicy === 'Replace') {
    for (const reference of draft.active) {
      await deleteJob(context, cronJob, { name: reference.name ?? '', uid: reference.uid ?? '' })
      draft.active = draft.active.filter(({ uid }) => uid !== reference.uid)
    }
  }
  await start(context, cronJob, dueMs, draft)
  return again
}

/** Tells of a time whose starting deadline has passed. */
function noteMissed({ events }: ControllerContext, cronJob: CronJob, nowMs: number): void {
  const { startingDeadlineSeconds, ...spec } = cronJob.spec
  if (startingDeadlineSeconds === undefined) return
  const { dueMs } = decideTiming({ ...cronJob, spec }, nowMs)
  if (dueMs === undefined) return
  const time = new Date(dueMs).toUTCString().replace('GMT', '+0000')
  events.record(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${time}`)
}

async function start(context: ControllerContext, cronJob: CronJob, dueMs: number, draft: Draft): Promise<void> {
  const job = await createJob(context, cronJob, dueMs)
  if (job === undefined) return
  context.metrics
    .histogram('cronjob_controller_job_creation_skew_duration_seconds', skewHelp, skewBuckets)
    .observe((context.clock.now() - dueMs) / 1_000)
  draft.lastScheduleTime = formatTime(dueMs)
  if (isJobFinished(job) || draft.active.some(({ uid }) => uid === job.metadata.uid)) return
  const { name, namespace, uid, resourceVersion } = job.metadata
  draft.active = [...draft.active, { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion }]
}

/** The job of that time, made now or by a predecessor that could not note it any more; undefined if it cannot be. */
async function createJob(
  { client, events }: ControllerContext,
  cronJob: CronJob,
  dueMs: number,
): Promise<Job | undefined> {
  const collection = client.resource(jobs, cronJob.metadata.namespace)
  try {
    const job = await collection.create(jobFor(cronJob, dueMs))
    events.record(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
    return job
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (isStatusError(error, 'AlreadyExists')) {
      const known = await collection.get(jobName(cronJob, dueMs))
      if (isControlledBy(known, cronJob)) return known
    }
    events.record(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
    throw error
  }
}

async function deleteJob(
  { client, events }: ControllerContext,
  cronJob: CronJob,
  { name, uid }: Pick<Job['metadata'], 'name' | 'uid'>,
): Promise<void> {
  try {
    const options = { propagationPolicy: 'Background', preconditions: { uid } } as const
    await client.resource(jobs, cronJob.metadata.namespace).delete(name, options)
    events.record(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`)
  } catch (error) {
    if (isStatusError(error, 'NotFound', 'Conflict')) return
    events.record(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
    throw error
  }
}

async function writeStatus({ client }: ControllerContext, cronJob: CronJob, draft: Draft): Promise<void> {
  const { active, lastScheduleTime, lastSuccessfulTime } = draft
  const status: CronJobStatus = {
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime !== undefined && { lastScheduleTime }),
    ...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }),
  }
  if (isDeepStrictEqual(cronJob.status ?? {}, status)) return
  await client.resource(cronJobs, cronJob.metadata.namespace).updateStatus({ ...cronJob, status })
}
