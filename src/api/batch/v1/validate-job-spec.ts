import { validatePodTemplate } from '../../core/v1/pod-template.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { invalidForEach, invalidValue, notSupported, required, tooLong } from '../../meta/field-errors.ts'
import { validateDomainPath } from '../../meta/validate-domain-path.ts'
import type { FieldError } from '../../meta/status.ts'
import type { JobSpec } from '../../types/batch.v1.ts'
import { validatePodFailurePolicy } from './validate-pod-failure-policy.ts'
import { validateSuccessPolicy } from './validate-success-policy.ts'

/** All that a job's spec may get wrong but its selector, which a template of jobs does not have. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const errors = [
    ...nonNegative(spec.parallelism, `${path}.parallelism`),
    ...nonNegative(spec.completions, `${path}.completions`),
    ...nonNegative(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...nonNegative(spec.backoffLimit, `${path}.backoffLimit`),
    ...nonNegative(spec.ttlSecondsAfterFinished, `${path}.ttlSecondsAfterFinished`),
    ...nonNegative(spec.backoffLimitPerIndex, `${path}.backoffLimitPerIndex`),
    ...nonNegative(spec.maxFailedIndexes, `${path}.maxFailedIndexes`),
  ]
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  errors.push(...validateManager(spec.managedBy, `${path}.managedBy`), ...validateMode(spec, path))
  if (spec.podFailurePolicy !== undefined) errors.push(...validatePodFailurePolicy(spec, `${path}.podFailurePolicy`))
  if (spec.successPolicy !== undefined) {
    errors.push(
      ...(spec.completionMode === 'Indexed'
        ? validateSuccessPolicy(spec, `${path}.successPolicy`)
        : [invalidValue(`${path}.successPolicy`, successForMessage(spec), 'requires indexed completion mode')]),
    )
  }
  return [
    ...errors,
    ...validateReplacement(spec, `${path}.podReplacementPolicy`),
    ...validatePodTemplate(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ]
}

function successForMessage({ successPolicy }: JobSpec): object {
  const rules = (successPolicy?.rules ?? []).map(({ succeededIndexes, succeededCount }) => ({
    SucceededIndexes: succeededIndexes ?? null,
    SucceededCount: succeededCount ?? null,
  }))
  return { Rules: rules.length === 0 ? null : rules }
}

const maxManagerLength = 63

function validateManager(managedBy: string | undefined, path: string): FieldError[] {
  if (managedBy === undefined) return []
  const errors = validateDomainPath(managedBy, path)
  return managedBy.length > maxManagerLength ? [...errors, tooLong(path, maxManagerLength)] : errors
}

const maxIndexes = 100_000
const maxParallelOfMany = 10_000

function validateMode(spec: JobSpec, path: string): FieldError[] {
  const { completionMode: mode, backoffLimitPerIndex, maxFailedIndexes } = spec
  const errors: FieldError[] = []
  if (mode !== undefined && mode !== 'Indexed' && mode !== 'NonIndexed') {
    errors.push(notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  }
  if (mode === 'Indexed') return [...errors, ...validateIndexed(spec, path)]
  if (mode !== undefined && mode !== 'NonIndexed') return errors
  const detail = 'requires indexed completion mode'
  for (const [field, value] of Object.entries({ backoffLimitPerIndex, maxFailedIndexes })) {
    if (value !== undefined) errors.push(invalidValue(`${path}.${field}`, value, detail))
  }
  return errors
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec
  const errors: FieldError[] = []
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  if (parallelism > maxIndexes) {
    const detail = `must be less than or equal to ${maxIndexes} when completion mode is Indexed`
    errors.push(invalidValue(`${path}.parallelism`, parallelism, detail))
  }
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) {
    errors.push(invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'))
  }
  if ((maxFailedIndexes ?? 0) > maxIndexes) {
    const detail = `must be less than or equal to ${maxIndexes}`
    errors.push(invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, detail))
  }
  if ((completions ?? 0) <= maxIndexes || backoffLimitPerIndex === undefined) return errors
  if (maxFailedIndexes === undefined) {
    errors.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${maxIndexes}`))
  }
  const limit = `must be less than or equal to ${maxParallelOfMany} when completions are above ${maxIndexes} and used with backoff limit per index`
  for (const [field, value] of Object.entries({ parallelism, maxFailedIndexes })) {
    if ((value ?? 0) > maxParallelOfMany) errors.push(invalidValue(`${path}.${field}`, value, limit))
  }
  return errors
}

function validateReplacement({ podReplacementPolicy, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  if (podReplacementPolicy === undefined) return []
  const allowed = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  return allowed.includes(podReplacementPolicy) ? [] : [notSupported(path, podReplacementPolicy, allowed)]
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const policy = template.spec.restartPolicy ?? ''
  if (policy === 'Always' || policy === '') return [required(path, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(path, policy, ['OnFailure', 'Never'])]
  if (podFailurePolicy === undefined || policy === 'Never') return []
  return invalidForEach(path, policy, ['only "Never" is supported when podFailurePolicy is specified'])
}
