import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, selectorCell } from '../../meta/cells.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import type { ReplicaSet, ReplicaSetSpec } from '../../types/apps.v1.ts'
import {
  validateEndlessTemplate,
  validateSelectedTemplate,
  validateSelectorCompiles,
  validateSelectorUpdate,
  validateWorkloadSelector,
} from './validate-workload.ts'
import { podNameWarnings } from '../../core/v1/pod/name-warnings.ts'

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  hasGeneration: true,
  setDefaults(draft) {
    const spec = (draft.spec ??= {} as Draft<ReplicaSetSpec>)
    spec.replicas ??= 1
    spec.template = templateWithDefaults(spec.template)
  },
  prepareForCreate: (draft) => void (draft.status = { replicas: 0 }),
  validate: ({ spec }) => validateReplicaSetSpec(spec),
  validateUpdate: (now, old) => validateSelectorUpdate(now.spec.selector, old.spec.selector),
  validateStatusUpdate: ({ status }) => validateReplicaCounts(status ?? { replicas: 0 }),
  warnings: ({ metadata, spec }, old) => [
    ...podNameWarnings(metadata, old),
    ...templateWarnings(spec.template, old?.spec.template),
  ],
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.replicas ?? 1,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    ageOf(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template?.spec.containers),
    selectorCell(spec.selector),
  ],
  selectableFields: ({ status }) => ({ 'status.replicas': `${status?.replicas ?? 0}` }),
})

function validateReplicaSetSpec(spec: ReplicaSetSpec): FieldError[] {
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateWorkloadSelector(spec.selector, 'deployment'),
  ]
  const broken = validateSelectorCompiles(spec.selector)
  if (broken.length > 0 || spec.template === undefined) return [...errors, ...broken]
  return [
    ...errors,
    ...validateSelectedTemplate(spec.template, spec.selector),
    ...validateEndlessTemplate(spec.template, 'activeDeadlineSeconds in ReplicaSet is not Supported'),
  ]
}

export interface ReplicaCounts {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number | undefined
  readonly readyReplicas?: number | undefined
  readonly availableReplicas?: number | undefined
  readonly terminatingReplicas?: number | undefined
  readonly observedGeneration?: number | undefined
}

/** Counts of a status: none negative, parts not above the whole. */
export function validateReplicaCounts(status: ReplicaCounts): FieldError[] {
  const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const
  const errors = [
    ...nonNegative(status.replicas, 'status.replicas'),
    ...parts.flatMap((field) => nonNegative(status[field], `status.${field}`)),
    ...nonNegative(status.terminatingReplicas, 'status.terminatingReplicas'),
    ...nonNegative(status.observedGeneration, 'status.observedGeneration'),
  ]
  for (const field of parts) {
    if ((status[field] ?? 0) <= status.replicas) continue
    errors.push(invalidValue(`status.${field}`, status[field], 'cannot be greater than status.replicas'))
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    errors.push(
      invalidValue('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas'),
    )
  }
  return errors
}
