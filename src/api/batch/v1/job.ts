import { templateWithDefaults, validatePodTemplate } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, selectorCell } from '../../meta/cells.ts'
import { maxInt32, nonNegative } from '../../meta/check-numbers.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf, humanDuration } from '../../meta/duration.ts'
import { immutableField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { matcherOf } from '../../meta/labels.ts'
import type { FieldError } from '../../meta/status.ts'
import { sortedMap, validateLabelSelector } from '../../meta/validate-labels.ts'
import type { Job, JobSpec } from '../../types/batch.v1.ts'
import { jobCondition } from './job-facts.ts'

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
  validate: ({ spec }) => validateJobSpec(spec, true, 'spec'),
  validateUpdate: validateJobUpdate,
  warnings: ({ spec }, old) => templateWarnings(spec.template, old?.spec.template),
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
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
  spec.template = templateWithDefaults(spec.template)
  labelLikeTemplate(draft)
}

/** A job without labels takes those of its pods. */
function labelLikeTemplate({ metadata, spec }: Draft<Job>): void {
  const labels = spec.template.metadata?.labels
  if (Object.keys(metadata.labels ?? {}).length === 0 && labels !== undefined) metadata.labels = { ...labels }
}

/** Pods of a job are told by its uid, so that two jobs never claim the same pod. */
function addOwnSelector({ metadata, spec }: Draft<Job>): void {
  const { uid, name } = metadata
  const template = (spec.template.metadata ??= {})
  template.labels = {
    ...template.labels,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  const selector = (spec.selector ??= {})
  selector.matchLabels = { ...selector.matchLabels, 'batch.kubernetes.io/controller-uid': uid }
}

/** `selected`: the job has its selector; a template of jobs does not have one yet. */
export function validateJobSpec(spec: JobSpec, selected: boolean, path: string): FieldError[] {
  const errors = [
    ...nonNegative(spec.parallelism, `${path}.parallelism`),
    ...nonNegative(spec.completions, `${path}.completions`),
    ...nonNegative(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...nonNegative(spec.backoffLimit, `${path}.backoffLimit`),
    ...nonNegative(spec.ttlSecondsAfterFinished, `${path}.ttlSecondsAfterFinished`),
    ...nonNegative(spec.backoffLimitPerIndex, `${path}.backoffLimitPerIndex`),
    ...nonNegative(spec.maxFailedIndexes, `${path}.maxFailedIndexes`),
    ...validateMode(spec, path),
  ]
  if (selected) errors.push(...validateOwnSelector(spec, path))
  errors.push(...validatePodTemplate(spec.template, `${path}.template`))
  const policy = spec.template.spec.restartPolicy
  if (policy === 'Always') {
    errors.push(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  } else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(notSupported(`${path}.template.spec.restartPolicy`, policy, ['OnFailure', 'Never']))
  }
  return errors
}

const maxParallelIndexes = 100_000

function validateMode(spec: JobSpec, path: string): FieldError[] {
  const { completionMode: mode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec
  const errors: FieldError[] = []
  if (mode !== undefined && mode !== 'Indexed' && mode !== 'NonIndexed') {
    errors.push(notSupported(`${path}.completionMode`, mode, ['Indexed', 'NonIndexed']))
  }
  if (mode === 'Indexed') {
    if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
    if (parallelism > maxParallelIndexes) {
      const detail = `must be less than or equal to ${maxParallelIndexes} when completion mode is Indexed`
      errors.push(invalidValue(`${path}.parallelism`, parallelism, detail))
    }
  } else if (backoffLimitPerIndex !== undefined) {
    const detail = 'requires indexed completion mode'
    errors.push(invalidValue(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, detail))
  }
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  return errors
}

function validateOwnSelector({ selector, template }: JobSpec, path: string): FieldError[] {
  if (selector === undefined) return [required(`${path}.selector`)]
  const errors = validateLabelSelector(selector, `${path}.selector`)
  if (errors.length > 0) return errors
  const labels = template.metadata?.labels
  if (matcherOf(selector).matches(labels ?? {})) return []
  const detail = '`selector` does not match template `labels`'
  return [invalidValue(`${path}.template.metadata.labels`, sortedMap(labels), detail)]
}

const fixedFields = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

function validateJobUpdate({ spec: now }: Job, { spec: old, status }: Job): FieldError[] {
  const errors: FieldError[] = []
  const elastic = now.completionMode === 'Indexed' && now.completions === now.parallelism
  if (now.completions !== old.completions && !elastic) {
    errors.push(invalidValue('spec.completions', now.completions ?? null, immutableField))
  }
  for (const field of fixedFields) {
    if (!deepEqual(now[field], old[field]))
      errors.push(invalidValue(`spec.${field}`, now[field] ?? null, immutableField))
  }
  const notStarted = old.suspend === true && status?.startTime === undefined
  if (!deepEqual(fixedTemplate(now, notStarted), fixedTemplate(old, notStarted))) {
    errors.push(invalidValue('spec.template', now.template, immutableField))
  }
  return errors
}

/** While a job is suspended before its first start, a queue may still decide where its pods go. */
function fixedTemplate({ template }: JobSpec, notStarted: boolean): object {
  if (!notStarted) return template
  const { nodeSelector: _nodes, tolerations: _tolerations, affinity: _affinity, ...spec } = template.spec
  const { schedulingGates: _gates, ...rest } = spec
  return { labels: undefined, spec: rest }
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
