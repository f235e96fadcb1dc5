import { invalidForEach, invalidValue, immutableField, required } from '../../meta/field-errors.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { matcherOf } from '../../meta/labels.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { selectorForMessage, sortedMap, validateLabelSelector } from '../../meta/validate-labels.ts'
import type { Job, JobSpec } from '../../types/batch.v1.ts'
import type { ObjectMeta } from '../../types/meta.v1.ts'
import { validateJobSpec } from './validate-job-spec.ts'

export const uidLabel = 'batch.kubernetes.io/controller-uid'

/** The labels that tell a job's pods, under their old names too; in the order in which they are checked. */
export function ownLabels({ uid, name }: Pick<ObjectMeta, 'uid' | 'name'>): Record<string, string> {
  return {
    'controller-uid': `${uid}`,
    'job-name': name,
    [uidLabel]: `${uid}`,
    'batch.kubernetes.io/job-name': name,
  }
}

/** Errors of a job, in the order of the API server. */
export function validateJob(job: Job): FieldError[] {
  const { metadata, spec } = job
  const errors = [...validateGenerated(job), ...validateSelectedSpec(spec, 'spec')]
  const { completions = 0 } = spec
  if (spec.completionMode !== 'Indexed' || completions <= 0) return errors
  const last = `${metadata.name}-${completions - 1}`
  const isBad = dnsLabel(last).length > 0
  const detail = `will not able to create pod with invalid DNS label: ${last}`
  return isBad ? [...errors, invalidValue('metadata.name', metadata.name, detail)] : errors
}

/** A selector that the server makes must be the one it would make. */
function validateGenerated({ metadata, spec }: Job): FieldError[] {
  if (spec.manualSelector === true) return []
  const labels = spec.template.metadata?.labels ?? {}
  const expected = ownLabels(metadata)
  const errors = Object.entries(expected).flatMap(([key, value]) => {
    if (labels[key] === value) return []
    const path = `spec.template.metadata.labels[${key}]`
    const detail = `must be '${value}'`
    return [labels[key] === undefined ? required(path, detail) : invalidValue(path, sortedMap(labels), detail)]
  })
  const { selector } = spec
  if (selector === undefined || validateLabelSelector(selector, '').length > 0) return errors
  if (matcherOf(selector).matches(expected)) return errors
  return [...errors, invalidValue('spec.selector', selectorForMessage(selector), '`selector` not auto-generated')]
}

function validateSelectedSpec(spec: JobSpec, path: string): FieldError[] {
  const { selector, template } = spec
  const errors = validateJobSpec(spec, path)
  if (selector === undefined) return [...errors, required(`${path}.selector`)]
  const wrong = validateLabelSelector(selector, `${path}.selector`)
  if (wrong.length > 0) return [...errors, ...wrong]
  const labels = template.metadata?.labels
  if (matcherOf(selector).matches(labels ?? {})) return errors
  const detail = '`selector` does not match template `labels`'
  return [...errors, invalidValue(`${path}.template.metadata.labels`, sortedMap(labels), detail)]
}

const fixedFields = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

/** Errors of a change; the spec is judged a second time, and its causes are listed twice. */
export function validateJobUpdate({ spec: now }: Job, { spec: old, status }: Job): FieldError[] {
  const errors = [...validateSelectedSpec(now, 'spec'), ...validateCompletions(now, old)]
  if (!deepEqual(now.selector, old.selector)) {
    errors.push(invalidValue('spec.selector', selectorForMessage(now.selector), immutableField))
  }
  const notStarted = old.suspend === true && status?.startTime === undefined
  if (!deepEqual(fixedTemplate(now, notStarted), fixedTemplate(old, notStarted))) {
    errors.push(invalidValue('spec.template', now.template, immutableField))
  }
  for (const field of fixedFields) {
    if (deepEqual(now[field], old[field])) continue
    errors.push(invalidValue(`spec.${field}`, now[field] ?? null, immutableField))
  }
  return errors
}

/** An indexed job may grow and shrink, with as many pods at once as it has indexes (KEP-3715). */
function validateCompletions(now: JobSpec, old: JobSpec): FieldError[] {
  const path = 'spec.completions'
  if (now.completions === old.completions) return []
  if (now.completionMode !== 'Indexed') return [invalidValue(path, now.completions ?? null, immutableField)]
  if (now.completions === undefined || now.completions === now.parallelism) return []
  return invalidForEach(path, now.completions, ['can only be modified in tandem with spec.parallelism'])
}

/** While a job is suspended before its first start, a queue may still decide where its pods go. */
function fixedTemplate({ template }: JobSpec, notStarted: boolean): object {
  if (!notStarted) return template
  const { nodeSelector: _nodes, tolerations: _tolerations, affinity: _affinity, ...spec } = template.spec
  const { schedulingGates: _gates, ...rest } = spec
  return { spec: rest }
}
