import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, selectorCell } from '../../meta/cells.ts'
import { maxInt32 } from '../../meta/check-numbers.ts'
import { ageOf, humanDuration } from '../../meta/duration.ts'
import type { Job, JobSpec } from '../../types/batch.v1.ts'
import { jobCondition } from './job-facts.ts'
import { jobSpecWarnings } from './job-warnings.ts'
import { ownLabels, uidLabel, validateJob, validateJobUpdate } from './validate-job.ts'
import { podNameWarnings } from '../../core/v1/pod/name-warnings.ts'
import { setPatternDefaults } from './pattern-defaults.ts'
import { validateJobStatus } from './validate-job-status.ts'

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  hasGeneration: true,
  setDefaults: setJobDefaults,
  prepareForCreate(draft) {
    draft.status = {}
    if (draft.spec.manualSelector !== true) addOwnSelector(draft)
    labelLikeTemplate(draft)
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatusUpdate: validateJobStatus,
  warnings: ({ metadata, spec }, old) => [
    ...podNameWarnings(metadata, old),
    ...jobSpecWarnings(spec, old?.spec, 'spec'),
  ],
  cells: (job, nowMs) => [
    job.metadata.name,
    stateCell(job),
    completionsCell(job),
    durationCell(job, nowMs),
    ageOf(job.metadata.creationTimestamp, nowMs),
    ...containerCells(job.spec.template.spec.containers),
    selectorCell(job.spec.selector),
  ],
  selectableFields: ({ status }) => ({ 'status.successful': `${status?.succeeded ?? 0}` }),
})

const backoffLimit = 6

function setJobDefaults(draft: Draft<Job>): void {
  const spec = (draft.spec ??= {} as Draft<JobSpec>)
  if (spec.parallelism === undefined) {
    spec.completions ??= 1
    spec.parallelism = 1
  }
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? backoffLimit : maxInt32
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  setPatternDefaults(spec)
  spec.template = templateWithDefaults(spec.template)
  labelLikeTemplate(draft)
}

/** A job without labels takes those of its pods: the very same map, so that it gets what its pods get later. */
function labelLikeTemplate({ metadata, spec }: Draft<Job>): void {
  const labels = spec.template.metadata?.labels
  if (Object.keys(metadata.labels ?? {}).length === 0 && labels !== undefined) metadata.labels = labels
}

/**
 * Pods of a job are told by its uid, so that two jobs never claim the same pod. Labels that the manifest has stay:
 * validation refuses those that are not the job's own.
 */
function addOwnSelector({ metadata, spec }: Draft<Job>): void {
  const template = (spec.template.metadata ??= {})
  const labels = (template.labels ??= {})
  for (const [key, value] of Object.entries(ownLabels(metadata))) labels[key] ??= value
  const selector = (spec.selector ??= {})
  selector.matchLabels = { [uidLabel]: `${metadata.uid}`, ...selector.matchLabels }
}

function stateCell(job: Job): string {
  const holds = (type: string): boolean => jobCondition(job, type)?.status === 'True'
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running'
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return ''
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)
  return humanDuration(endMs - Date.parse(status.startTime))
}
