import { validateReplicaCounts } from '../../apps/v1/replica-set.ts'
import { validateEndlessTemplate } from '../../apps/v1/validate-workload.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, labelsCell } from '../../meta/cells.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, required } from '../../meta/field-errors.ts'
import { hasLabels } from '../../meta/labels.ts'
import type { FieldError } from '../../meta/status.ts'
import { sortedMap } from '../../meta/validate-labels.ts'
import type { ReplicationController, ReplicationControllerSpec } from '../../types/core.v1.ts'
import { templateWithDefaults, validatePodTemplate } from './pod-template.ts'
import { templateWarnings } from './pod/warnings.ts'

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  hasGeneration: true,
  setDefaults: setControllerDefaults,
  prepareForCreate: (draft) => void (draft.status = { replicas: 0 }),
  validate: ({ spec }) => [...validateTemplate(spec ?? {}), ...validateCounts(spec ?? {})],
  // A change is looked at once as something new and once as a change; numbers are left to the schema's own rules.
  validateUpdate: ({ spec }) => [
    ...validateTemplate(spec ?? {}),
    ...validateTemplate(spec ?? {}),
    ...validateCounts(spec ?? {}),
  ],
  validatesUpdateAlone: true,
  validateStatusUpdate: ({ status }) => validateReplicaCounts(status ?? { replicas: 0 }),
  warnings: ({ spec }, old) => templateWarnings(spec?.template, old?.spec?.template),
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec?.replicas ?? 1,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    ageOf(metadata.creationTimestamp, nowMs),
    ...containerCells(spec?.template?.spec.containers),
    labelsCell(spec?.selector),
  ],
  selectableFields: ({ status }) => ({ 'status.replicas': `${status?.replicas ?? 0}` }),
})

/** The labels of the template stand in for a selector and for labels of its own. */
function setControllerDefaults(draft: Draft<ReplicationController>): void {
  const spec = (draft.spec ??= {})
  spec.replicas ??= 1
  if (spec.template === undefined) return
  spec.template = templateWithDefaults(spec.template)
  const labels = spec.template.metadata?.labels
  if (labels === undefined) return
  if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
  if (Object.keys(draft.metadata.labels ?? {}).length === 0) draft.metadata.labels = { ...labels }
}

function validateTemplate({ selector, template }: ReplicationControllerSpec): FieldError[] {
  const isEmpty = Object.keys(selector ?? {}).length === 0
  const errors = isEmpty ? [required('spec.selector')] : []
  if (template === undefined) return [...errors, required('spec.template')]
  const labels = template.metadata?.labels
  if (!isEmpty && !hasLabels(labels ?? {}, selector ?? {})) {
    const detail = '`selector` does not match template `labels`'
    errors.push(invalidValue('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  return [
    ...errors,
    ...validatePodTemplate(template, 'spec.template'),
    ...validateEndlessTemplate(template, 'activeDeadlineSeconds in ReplicationController is not Supported'),
  ]
}

function validateCounts({ replicas, minReadySeconds }: ReplicationControllerSpec): FieldError[] {
  return [...nonNegative(replicas, 'spec.replicas'), ...nonNegative(minReadySeconds, 'spec.minReadySeconds')]
}
