import { isJobFailed, isJobFinished } from '#api/batch/v1/job-facts.ts'
import { controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import type { CronJob, Job } from '#api/types/batch.v1.ts'
import { lastTime, nextTime, parseCron } from './cron.ts'

export interface Timing {
  /** The latest scheduled time that has come and has not been dealt with. */
  readonly dueMs: number | undefined
  /** So many times have passed unused that the clock or the controller must have been away. */
  readonly hasMissedMany: boolean
  /** The next scheduled time in the future; undefined if none comes. */
  readonly nextMs: number | undefined
}

const manyMissed = 100

/** The zone of schedules that name none. */
const defaultZone = 'UTC'

function timeZoneOf({ spec }: CronJob): string {
  return spec.timeZone ?? defaultZone
}

/** Which scheduled time is due. Of several that were missed only the latest counts. */
export function decideTiming(cronJob: CronJob, nowMs: number): Timing {
  const cron = parseCron(cronJob.spec.schedule)
  const zone = timeZoneOf(cronJob)
  const nextMs = nextTime(cron, nowMs, zone)
  const sinceMs = startOfWindow(cronJob, nowMs)
  const dueMs = sinceMs < nowMs ? lastTime(cron, sinceMs, nowMs, zone) : undefined
  if (dueMs === undefined) return { dueMs, hasMissedMany: false, nextMs }
  const firstMs = nextTime(cron, sinceMs, zone) ?? dueMs
  const secondMs = nextTime(cron, firstMs, zone) ?? Infinity
  return { dueMs, hasMissedMany: (nowMs - firstMs) / (secondMs - firstMs) + 1 > manyMissed, nextMs }
}

/** After the last run or the creation, and not before the starting deadline reaches back. */
function startOfWindow({ metadata, spec, status }: CronJob, nowMs: number): number {
  const lastMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp)
  if (spec.startingDeadlineSeconds === undefined) return lastMs
  return Math.max(lastMs, nowMs - spec.startingDeadlineSeconds * 1_000)
}

/** The job of one scheduled time. Its name is the same whoever makes it, so that none is made twice. */
export function jobFor(cronJob: CronJob, scheduledMs: number): New<Job> {
  const { metadata, spec } = cronJob.spec.jobTemplate
  const { name, namespace } = cronJob.metadata
  return {
    metadata: {
      name: jobName(cronJob, scheduledMs),
      namespace,
      ...(metadata?.labels && { labels: metadata.labels }),
      annotations: {
        ...metadata?.annotations,
        'batch.kubernetes.io/cronjob-scheduled-timestamp': zonedText(scheduledMs, timeZoneOf(cronJob)),
      },
      ownerReferences: [controllerReference({ ...cronJob, metadata: { ...cronJob.metadata, name } })],
    },
    spec: spec as Job['spec'],
  }
}

export function jobName({ metadata }: CronJob, scheduledMs: number): string {
  return `${metadata.name}-${Math.floor(scheduledMs / 60_000)}`
}

/** RFC 3339 with the zone's offset, `Z` for none. */
function zonedText(ms: number, timeZone: string): string {
  const time = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone)
  const local = time.toPlainDateTime().toString({ smallestUnit: 'second' })
  return `${local}${time.offset === '+00:00' ? 'Z' : time.offset}`
}

/** Ended jobs beyond the limits of the history, the oldest first. */
export function surplusHistory({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const ended = jobs.filter((job) => isJobFinished(job) && job.metadata.deletionTimestamp === undefined)
  const beyond = (limit: number | undefined, some: readonly Job[]): readonly Job[] => {
    if (limit === undefined || some.length <= limit) return []
    return some.toSorted(oldFirst).slice(0, some.length - limit)
  }
  return [
    ...beyond(spec.failedJobsHistoryLimit, ended.filter(isJobFailed)),
    ...beyond(
      spec.successfulJobsHistoryLimit,
      ended.filter((job) => !isJobFailed(job)),
    ),
  ]
}

function oldFirst(a: Job, b: Job): number {
  const [one, other] = [a, b].map(({ metadata, status }) => status?.startTime ?? metadata.creationTimestamp)
  if (one === other) return a.metadata.name < b.metadata.name ? -1 : 1
  return (one as string) < (other as string) ? -1 : 1
}
