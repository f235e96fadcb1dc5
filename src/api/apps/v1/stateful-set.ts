import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import { containerCells } from '../../meta/cells.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidValue, notSupported } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { StatefulSet, StatefulSetSpec } from '../../types/apps.v1.ts'
import { validateReplicaCounts } from './replica-set.ts'
import {
  validateEndlessTemplate,
  validateSelectedTemplate,
  validateSelectorCompiles,
  validateWorkloadSelector,
} from './validate-workload.ts'

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  hasGeneration: true,
  setDefaults: setStatefulSetDefaults,
  prepareForCreate: (draft) => void (draft.status = { replicas: 0, availableReplicas: 0 }),
  validate: ({ spec }) => validateStatefulSetSpec(spec),
  validateUpdate: ({ spec: now }, { spec: old }) => validateStatefulSetUpdate(now, old),
  validateStatusUpdate: ({ status }) => validateReplicaCounts(status ?? { replicas: 0 }),
  warnings: ({ spec }, old) => templateWarnings(spec.template, old?.spec.template),
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    ageOf(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec.containers),
  ],
})

const revisionHistoryLimit = 10

function setStatefulSetDefaults(draft: Draft<StatefulSet>): void {
  const spec = (draft.spec ??= {} as Draft<StatefulSetSpec>)
  spec.podManagementPolicy ||= 'OrderedReady'
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {})
    rolling.partition ??= 0
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
  retention.whenDeleted ||= 'Retain'
  retention.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= revisionHistoryLimit
  spec.template = templateWithDefaults(spec.template)
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= 'v1'
    claim.kind ||= 'PersistentVolumeClaim'
    const claimSpec = (claim.spec ??= {})
    claimSpec.volumeMode ??= 'Filesystem'
    const status = (claim.status ??= {})
    status.phase ??= 'Pending'
  }
}

function validateStatefulSetSpec(spec: StatefulSetSpec): FieldError[] {
  const errors = [
    ...validatePolicies(spec),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...validateWorkloadSelector(spec.selector, 'statefulset'),
  ]
  const broken = validateSelectorCompiles(spec.selector)
  errors.push(...broken, ...(broken.length > 0 ? [] : validateSelectedTemplate(spec.template, spec.selector)))
  return [...errors, ...validateEndlessTemplate(spec.template, 'activeDeadlineSeconds in StatefulSet is not Supported')]
}

function validatePolicies(spec: StatefulSetSpec): FieldError[] {
  const errors: FieldError[] = []
  const { podManagementPolicy, updateStrategy, persistentVolumeClaimRetentionPolicy: retention } = spec
  if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    const detail = "must be 'OrderedReady' or 'Parallel'"
    errors.push(invalidValue('spec.podManagementPolicy', podManagementPolicy ?? '', detail))
  }
  if (updateStrategy?.type !== 'RollingUpdate' && updateStrategy?.type !== 'OnDelete') {
    const shown = { Type: updateStrategy?.type ?? '', RollingUpdate: updateStrategy?.rollingUpdate ?? null }
    errors.push(invalidValue('spec.updateStrategy', shown, "must be 'RollingUpdate' or 'OnDelete'"))
  } else if (updateStrategy.type === 'OnDelete' && updateStrategy.rollingUpdate !== undefined) {
    const shown = { Partition: updateStrategy.rollingUpdate.partition ?? 0, MaxUnavailable: null }
    const detail = "only allowed for updateStrategy 'RollingUpdate'"
    errors.push(invalidValue('spec.updateStrategy.rollingUpdate', shown, detail))
  }
  errors.push(...nonNegative(updateStrategy?.rollingUpdate?.partition, 'spec.updateStrategy.rollingUpdate.partition'))
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const policy = retention?.[field]
    if (policy === undefined || policy === 'Retain' || policy === 'Delete') continue
    errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, policy, ['Delete', 'Retain']))
  }
  return errors
}

const changeable = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
])

function validateStatefulSetUpdate(now: StatefulSetSpec, old: StatefulSetSpec): FieldError[] {
  const frozen = (spec: StatefulSetSpec): object =>
    Object.fromEntries(Object.entries(spec).filter(([field]) => !changeable.has(field)))
  if (deepEqual(frozen(now), frozen(old))) return []
  const names =
    "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
  return [forbiddenField('spec', `updates to statefulset spec for fields other than ${names} are forbidden`)]
}
