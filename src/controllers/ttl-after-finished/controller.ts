import { isJobFinished, jobCondition } from '#api/batch/v1/job-facts.ts'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Job } from '#api/types/batch.v1.ts'
import { jobs } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'

/** Deletes jobs, pods and all, so many seconds after they have ended as they ask for (KEP-592). */
export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished-controller',
  queueName: 'ttl_jobs_to_delete',
  watches: [
    watchOf(jobs, (job) => (endOfLifeMs(job) === undefined ? [] : [`${job.metadata.namespace}/${job.metadata.name}`])),
  ],
  writes: [{ resource: jobs, verbs: ['get', 'delete'] }],
  reconcile,
})

/** When the job is to go; undefined while it runs, and for one that is to stay. */
function endOfLifeMs(job: Job): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec
  if (ttlSecondsAfterFinished === undefined || !isJobFinished(job)) return undefined
  if (job.metadata.deletionTimestamp !== undefined) return undefined
  const end = [jobCondition(job, 'Complete'), jobCondition(job, 'Failed')].find((known) => known?.status === 'True')
  const endMs = Date.parse(end?.lastTransitionTime ?? '')
  return Number.isNaN(endMs) ? undefined : endMs + ttlSecondsAfterFinished * 1_000
}

async function reconcile(
  key: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const known = informers.of(jobs).get(name, namespace)
  const dueMs = known && endOfLifeMs(known)
  if (dueMs === undefined) return
  if (dueMs > clock.now()) return { requeueAfterMs: dueMs - clock.now() }
  const collection = client.resource(jobs, namespace)
  try {
    // The informer may be behind a change of the time to live: the server has the word.
    const { metadata, ...job } = await collection.get(name)
    const freshMs = endOfLifeMs({ ...job, metadata })
    if (freshMs === undefined || metadata.uid !== known?.metadata.uid) return
    if (freshMs > clock.now()) return { requeueAfterMs: freshMs - clock.now() }
    const { uid, resourceVersion } = metadata
    await collection.delete(name, { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
