import { maxInt32 } from '../../../meta/check-numbers.ts'
import { deepEqual } from '../../../meta/deep-equal.ts'
import { forbiddenField, invalidValue, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import { unifiedDiff } from '../../../meta/unified-diff.ts'
import type { Container, Pod, PodSpec, Toleration } from '../../../types/core.v1.ts'
import { podSpecText } from '../internal-types.ts'
import { appArmorPrefix, mirrorAnnotation } from './pod-annotations.ts'
import { validateImageText } from './validate-container.ts'
import { validatePlacementUpdate, withOldPlacement } from './validate-placement-update.ts'
import { validatePod } from './validate-pod.ts'
import { validatePodAnnotations } from './validate-pod-annotations.ts'
import { validateTolerations } from './validate-scheduling.ts'

/**
 * A pod's spec is settled at creation. What may still change: images, the deadline (only sooner), added tolerations, a
 * negative grace period to 1, and, while scheduling gates hold it back, the gates and where it may be placed.
 */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = [...validatePod(pod), ...validateAnnotationUpdate(pod, old)]
  for (const list of ['containers', 'initContainers'] as const) {
    const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []]
    if (now.length !== before.length) {
      return [...errors, forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers')]
    }
    errors.push(...now.flatMap((container, index) => validateImage(container, `spec.${list}[${index}]`)))
  }
  const deadline = validateDeadline(pod.spec, old.spec)
  errors.push(...deadline)
  if (deadline.length > 0 && pod.spec.activeDeadlineSeconds !== undefined) return errors
  return [
    ...errors,
    ...validateTolerationUpdate(pod.spec.tolerations ?? [], old.spec.tolerations ?? []),
    ...validateGateUpdate(pod.spec, old.spec),
    ...validateRest(pod.spec, old.spec),
  ]
}

/** Annotations that stand for something that cannot change either. */
export function validateAnnotationUpdate({ metadata, spec }: Pod, { metadata: before }: Pod): FieldError[] {
  const now = metadata.annotations ?? {}
  const old = before.annotations ?? {}
  const path = 'metadata.annotations'
  const errors: FieldError[] = []
  const refuse = (key: string, verb: string): void => {
    if (key.startsWith(appArmorPrefix)) {
      errors.push(forbiddenField(`${path}[${key}]`, `may not ${verb} AppArmor annotations`))
    }
    if (key === mirrorAnnotation)
      errors.push(forbiddenField(`${path}[${key}]`, `may not ${verb} mirror pod annotation`))
  }
  for (const [key, value] of Object.entries(old)) if (now[key] !== value) refuse(key, 'remove or update')
  for (const key of Object.keys(now)) if (!(key in old)) refuse(key, 'add')
  return [...errors, ...validatePodAnnotations(now, spec, path)]
}

function validateImage(container: Container, path: string): FieldError[] {
  const errors = (container.image ?? '') === '' ? [required(`${path}.image`)] : []
  return [...errors, ...validateImageText(container, path)]
}

function validateDeadline({ activeDeadlineSeconds: now }: PodSpec, old: PodSpec): FieldError[] {
  const path = 'spec.activeDeadlineSeconds'
  const before = old.activeDeadlineSeconds
  if (now === undefined) {
    if (before === undefined) return []
    return [invalidValue(path, null, 'must not update from a positive integer to nil value')]
  }
  if (now < 0 || now > maxInt32) return [invalidValue(path, now, `must be between 0 and ${maxInt32}, inclusive`)]
  if (before === undefined || before >= now) return []
  return [invalidValue(path, now, 'must be less than or equal to previous value')]
}

function validateTolerationUpdate(now: readonly Toleration[], before: readonly Toleration[]): FieldError[] {
  const path = 'spec.tolerations'
  const survives = (toleration: Toleration): boolean =>
    now.some((candidate) => deepEqual(withoutSeconds(candidate), withoutSeconds(toleration)))
  if (before.every(survives)) return validateTolerations(now, path)
  return [forbiddenField(path, 'existing toleration can not be modified except its tolerationSeconds')]
}

function withoutSeconds({ key, operator, value, effect }: Toleration): Toleration {
  return { key, operator, value, effect }
}

function validateGateUpdate({ schedulingGates: now }: PodSpec, { schedulingGates: before }: PodSpec): FieldError[] {
  const known = new Set((before ?? []).map(({ name }) => name))
  return (now ?? []).flatMap(({ name }, index) => {
    if (known.has(name)) return []
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`
    return [forbiddenField(`spec.schedulingGates[${index}].name`, detail)]
  })
}

const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
]

function validateRest(now: PodSpec, before: PodSpec): FieldError[] {
  if (deepEqual(now, before)) return []
  const isGated = (before.schedulingGates ?? []).length > 0
  const errors = isGated ? validatePlacementUpdate(now, before) : []
  const settled = withOldParts(isGated ? withOldPlacement(now, before) : now, before)
  if (deepEqual(settled, before)) return errors
  const [left, right] = [podSpecText(before), podSpecText(settled)]
  if (left === right) return errors
  const detail = `pod updates may not change fields other than ${changeable.join(',')}\n${unifiedDiff(left, right)}`
  return [...errors, forbiddenField('spec', detail)]
}

/** The new spec with the old values of all that may change. */
function withOldParts(now: PodSpec, before: PodSpec): PodSpec {
  const becomesOne = (before.terminationGracePeriodSeconds ?? 0) < 0 && now.terminationGracePeriodSeconds === 1
  return {
    ...now,
    containers: withOldImages(now.containers, before.containers) ?? [],
    initContainers: withOldImages(now.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    schedulingGates: before.schedulingGates,
    tolerations: before.tolerations,
    ...(becomesOne && { terminationGracePeriodSeconds: before.terminationGracePeriodSeconds }),
  }
}

function withOldImages(
  now: readonly Container[] | undefined,
  before: readonly Container[] | undefined,
): readonly Container[] | undefined {
  return now?.map((container, index) => ({ ...container, image: before?.[index]?.image }))
}
