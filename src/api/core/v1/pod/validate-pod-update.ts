import { deepEqual } from '../../../meta/deep-equal.ts'
import { forbiddenField, immutableField, invalidValue } from '../../../meta/field-errors.ts'
import { dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, Pod, PodSpec, Toleration } from '../../../types/core.v1.ts'

/**
 * A pod's spec is settled at creation. What may still change: images, the deadline (only sooner), added tolerations, a
 * negative grace period to 1, and, while scheduling gates hold it back, the gates and where it may be placed.
 */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const sizes = [
    ...validateSameLength(pod.spec.containers, old.spec.containers, 'spec.containers'),
    ...validateSameLength(pod.spec.initContainers, old.spec.initContainers, 'spec.initContainers'),
  ]
  if (sizes.length > 0) return sizes
  return [
    ...validateDeadline(pod.spec, old.spec),
    ...validateTolerationUpdate(pod.spec.tolerations ?? [], old.spec.tolerations ?? []),
    ...validateGateUpdate(pod.spec, old.spec),
    ...validateRest(pod.spec, old.spec),
  ]
}

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  const nominated = pod.status?.nominatedNodeName ?? ''
  if (nominated !== '') {
    errors.push(...dnsSubdomain(nominated).map((why) => invalidValue('status.nominatedNodeName', nominated, why)))
  }
  if (!deepEqual(pod.status?.qosClass, old.status?.qosClass)) {
    errors.push(invalidValue('status.qosClass', pod.status?.qosClass ?? '', immutableField))
  }
  return [...errors, ...validateNoRevival(pod, old)]
}

function validateSameLength(
  now: readonly Container[] | undefined,
  before: readonly Container[] | undefined,
  path: string,
): FieldError[] {
  if ((now ?? []).length === (before ?? []).length) return []
  return [forbiddenField(path, 'pod updates may not add or remove containers')]
}

function validateDeadline(
  { activeDeadlineSeconds: now }: PodSpec,
  { activeDeadlineSeconds: before }: PodSpec,
): FieldError[] {
  const path = 'spec.activeDeadlineSeconds'
  if (before === undefined) return []
  if (now === undefined) return [invalidValue(path, null, 'must not update from a positive integer to nil value')]
  return now > before ? [invalidValue(path, now, 'must be less than or equal to previous value')] : []
}

function validateTolerationUpdate(now: readonly Toleration[], before: readonly Toleration[]): FieldError[] {
  const survives = (toleration: Toleration): boolean =>
    now.some((candidate) => deepEqual(withoutSeconds(candidate), withoutSeconds(toleration)))
  if (before.every(survives)) return []
  return [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}

function withoutSeconds({ key, operator, value, effect }: Toleration): Toleration {
  return { key, operator, value, effect }
}

function validateGateUpdate({ schedulingGates: now }: PodSpec, { schedulingGates: before }: PodSpec): FieldError[] {
  const known = new Set((before ?? []).map(({ name }) => name))
  const added = (now ?? []).filter(({ name }) => !known.has(name)).map(({ name }) => name)
  if (added.length === 0) return []
  return [
    forbiddenField('spec.schedulingGates', `only deletion is allowed, but found new scheduling gates '${added[0]}'`),
  ]
}

const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
]

function validateRest(now: PodSpec, before: PodSpec): FieldError[] {
  const gated = (before.schedulingGates ?? []).length > 0
  const left = frozenPart(now, before, gated)
  const right = frozenPart(before, before, gated)
  const changed = Object.keys({ ...left, ...right }).filter((field) => !deepEqual(left[field], right[field]))
  if (changed.length === 0) return []
  const shown = changed.map((field) => `  ${field}: ${json(right[field])} -> ${json(left[field])}`)
  const detail = `pod updates may not change fields other than ${changeable.join(',')}\n${shown.join('\n')}\n`
  return [forbiddenField('spec', detail)]
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

function frozenPart(spec: PodSpec, before: PodSpec, gated: boolean): Readonly<Record<string, unknown>> {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec
  const part: Record<string, unknown> = { ...rest }
  part['containers'] = withoutImages(spec.containers)
  part['initContainers'] = withoutImages(spec.initContainers)
  if ((before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    part['terminationGracePeriodSeconds'] = before.terminationGracePeriodSeconds
  }
  if (gated) {
    delete part['nodeSelector']
    delete part['affinity']
  }
  return part
}

function withoutImages(containers: readonly Container[] | undefined): readonly unknown[] {
  return (containers ?? []).map((container) => ({ ...container, image: undefined }))
}

/** A container that has ended for good does not run again. */
function validateNoRevival(pod: Pod, old: Pod): FieldError[] {
  if (pod.spec.restartPolicy !== 'Never' && pod.spec.restartPolicy !== 'OnFailure') return []
  return (pod.status?.containerStatuses ?? []).flatMap(({ name, state }, index) => {
    const before = old.status?.containerStatuses?.find((status) => status.name === name)?.state?.terminated
    if (before === undefined || state?.terminated !== undefined) return []
    if (pod.spec.restartPolicy === 'OnFailure' && before.exitCode !== 0) return []
    const own = pod.spec.containers.find((container) => container.name === name)
    if ((own?.restartPolicyRules ?? []).length > 0 || own?.restartPolicy !== undefined) return []
    return [
      forbiddenField(`status.containerStatuses[${index}].state`, 'may not be transitioned to non-terminated state'),
    ]
  })
}
