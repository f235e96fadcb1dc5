import { defineKind } from '../../kind.ts'
import { nonNegative, notAbove100Percent, validateNonNegativeIntOrPercent } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, notSupported } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { selectorForMessage, validateLabelSelector } from '../../meta/validate-labels.ts'
import type { IntOrString } from '../../types/meta.v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../types/policy.v1.ts'
import { validateConditions } from '../../meta/validate-conditions.ts'

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  hasGeneration: true,
  prepareForCreate: (draft) => void (draft.status = { ...noCounts }),
  validate: ({ spec }) => validateBudget(spec),
  validateStatusUpdate: ({ status }) => [
    ...validateConditions(status?.conditions, 'status.conditions'),
    ...counts.flatMap((field) => nonNegative(status?.[field], `status.${field}`)),
  ],
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    limitCell(spec.minAvailable),
    limitCell(spec.maxUnavailable),
    status?.disruptionsAllowed ?? 0,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
})

const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const

const noCounts = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }

function limitCell(limit: IntOrString | undefined): string {
  return limit === undefined ? 'N/A' : `${limit}`
}

function validateBudget(spec: PodDisruptionBudgetSpec): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: selectorForMessage(selector),
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    }
    errors.push(invalidValue('spec', shown, 'minAvailable and maxUnavailable cannot be both set'))
  }
  errors.push(
    ...validateNonNegativeIntOrPercent(minAvailable, 'spec.minAvailable'),
    ...notAbove100Percent(minAvailable, 'spec.minAvailable'),
    ...validateNonNegativeIntOrPercent(maxUnavailable, 'spec.maxUnavailable'),
    ...notAbove100Percent(maxUnavailable, 'spec.maxUnavailable'),
    ...validateLabelSelector(selector, 'spec.selector'),
  )
  const policies = ['AlwaysAllow', 'IfHealthyBudget']
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, policies))
  }
  return errors
}
