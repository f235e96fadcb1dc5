import type { Draft } from '../../kind.ts'
import type { JobSpec } from '../../types/batch.v1.ts'

/** A pattern of a pod failure policy asks for conditions that hold. */
export function setPatternDefaults(spec: Draft<JobSpec>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
}
