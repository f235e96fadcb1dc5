import { forbiddenField, immutableField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { matcherOf } from '../../meta/labels.ts'
import type { FieldError } from '../../meta/status.ts'
import { isEmptySelector, selectorForMessage, sortedMap, validateLabelSelector } from '../../meta/validate-labels.ts'
import { validatePodTemplate } from '../../core/v1/pod-template.ts'
import type { PodTemplateSpec } from '../../types/core.v1.ts'
import type { LabelSelector } from '../../types/meta.v1.ts'

/** Whether a selector can be compiled: validation has no errors for it. */
function compiles(selector: LabelSelector | undefined): boolean {
  return validateLabelSelector(selector, '').length === 0
}

/** The selector of a workload; `noun` names the workload where an empty one is refused. */
export function validateWorkloadSelector(selector: LabelSelector | undefined, noun: string): FieldError[] {
  if (selector === undefined) return [required('spec.selector')]
  const errors = validateLabelSelector(selector, 'spec.selector')
  if (isEmptySelector(selector)) {
    errors.push(invalidValue('spec.selector', selectorForMessage(selector), `empty selector is invalid for ${noun}`))
  }
  return errors
}

/** Errors for a selector that does not compile, on top of those of its parts. */
export function validateSelectorCompiles(selector: LabelSelector | undefined): FieldError[] {
  if (compiles(selector)) return []
  return [invalidValue('spec.selector', selectorForMessage(selector), 'invalid label selector')]
}

/** The template must be selected by its own workload; an empty selector has been reported already. */
export function validateSelectedTemplate(
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
  path: string = 'spec.template',
): FieldError[] {
  if (selector !== undefined && isEmptySelector(selector)) return []
  const labels = template.metadata?.labels
  const matches = selector !== undefined && compiles(selector) && matcherOf(selector).matches(labels ?? {})
  const mismatch = '`selector` does not match template `labels`'
  const errors = matches ? [] : [invalidValue(`${path}.metadata.labels`, sortedMap(labels), mismatch)]
  return [...errors, ...validatePodTemplate(template, path)]
}

/** Pods of a workload that replaces them restart for ever and have no deadline of their own. */
export function validateEndlessTemplate(
  { spec }: PodTemplateSpec,
  deadline: string,
  path: string = 'spec.template',
): FieldError[] {
  const errors: FieldError[] = []
  if (spec.restartPolicy !== 'Always') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ['Always']))
  }
  if (spec.activeDeadlineSeconds !== undefined)
    errors.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, deadline))
  return errors
}

/** Names of revisions depend on this counter, which therefore never goes back. */
export function validateCollisionCount(now: number | undefined, before: number | undefined): FieldError[] {
  if (before === undefined || (now !== undefined && now >= before)) return []
  return [invalidValue('status.collisionCount', now ?? 0, 'cannot be decremented')]
}

/** Selectors are settled at creation. */
export function validateSelectorUpdate(now: LabelSelector | undefined, old: LabelSelector | undefined): FieldError[] {
  return deepEqual(now, old) ? [] : [invalidValue('spec.selector', selectorForMessage(now), immutableField)]
}
