import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, immutableField, invalidValue, notSupported } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { PriorityClass } from '../../types/scheduling.v1.ts'

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  hasGeneration: true,
  setDefaults: (draft) => void (draft.preemptionPolicy ??= 'PreemptLowerPriority'),
  validate: validatePriorityClass,
  validateUpdate: validatePriorityClassUpdate,
  cells: ({ metadata, value, globalDefault, preemptionPolicy }, nowMs) => [
    metadata.name,
    value ?? 0,
    globalDefault ?? false,
    ageOf(metadata.creationTimestamp, nowMs),
    preemptionPolicy ?? '',
  ],
})

/** Above it are the priorities of the system itself. */
const highestUserPriority = 1_000_000_000

/** The classes every cluster has, by name. */
const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

function validatePriorityClass({ metadata, value = 0, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors: FieldError[] = []
  if (metadata.name.startsWith('system-')) {
    const wrong = systemNameProblem(metadata.name, value)
    if (wrong !== undefined) {
      const rule = "priority class names with 'system-' prefix are reserved for system use only."
      errors.push(forbiddenField('metadata.name', `${rule} error: ${wrong}`))
    }
  } else if (value > highestUserPriority) {
    const detail = `maximum allowed value of a user defined priority is ${highestUserPriority}`
    errors.push(forbiddenField('value', detail))
  }
  const policies = ['PreemptLowerPriority', 'Never']
  if (preemptionPolicy !== undefined && !policies.includes(preemptionPolicy)) {
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, policies))
  }
  return errors
}

function systemNameProblem(name: string, value: number): string | undefined {
  const wanted = systemPriorities[name]
  if (wanted === undefined) return `${name} is not a known system priority class`
  return value === wanted ? undefined : `value of ${name} PriorityClass must be ${wanted}`
}

function validatePriorityClassUpdate(now: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = []
  if ((now.value ?? 0) !== (old.value ?? 0)) errors.push(forbiddenField('value', 'may not be changed in an update.'))
  if (now.preemptionPolicy !== old.preemptionPolicy) {
    errors.push(invalidValue('preemptionPolicy', now.preemptionPolicy ?? null, immutableField))
  }
  return errors
}
