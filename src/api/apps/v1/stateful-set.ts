import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import { containerCells } from '../../meta/cells.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { StatefulSet, StatefulSetSpec } from '../../types/apps.v1.ts'
import {
  validateCollisionCount,
  validateEndlessTemplate,
  validateSelectedTemplate,
  validateSelectorCompiles,
  validateWorkloadSelector,
} from './validate-workload.ts'
import { dnsLabel } from '../../meta/names.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import { selectorForMessage } from '../../meta/validate-labels.ts'

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  hasGeneration: true,
  setDefaults: setStatefulSetDefaults,
  nameRule: 'dnsLabel',
  prepareForCreate(draft) {
    draft.status = { replicas: 0, availableReplicas: 0 }
    dropDisabled(draft, undefined)
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    dropDisabled(draft, old)
  },
  validate: ({ spec }) => validateStatefulSetSpec(spec, false),
  validateUpdate: ({ spec: now }, { spec: old }) => [
    ...validateStatefulSetSpec(now, true),
    ...validateStatefulSetUpdate(now, old),
  ],
  validatesUpdateAlone: true,
  validateStatusUpdate: validateStatus,
  warnings: ({ spec }, old) => [
    ...templateWarnings(spec.template, old?.spec.template),
    ...historyWarnings(spec.revisionHistoryLimit),
  ],
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

/** A number of unavailable pods waits for the feature gate `MaxUnavailableStatefulSet`, which is off. */
function dropDisabled({ spec }: Draft<StatefulSet>, old: StatefulSet | undefined): void {
  if (old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined) return
  delete spec.updateStrategy?.rollingUpdate?.maxUnavailable
}

function historyWarnings(limit: number | undefined): readonly string[] {
  if (limit === undefined || limit >= 0) return []
  return ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
}

/** Names of services that were accepted once stay, whatever they are: `isKnown` says that the set exists. */
function validateStatefulSetSpec(spec: StatefulSetSpec, isKnown: boolean): FieldError[] {
  const errors = [
    ...validatePolicies(spec),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...(isKnown || !spec.serviceName
      ? []
      : invalidForEach('spec.serviceName', spec.serviceName, dnsLabel(spec.serviceName))),
    ...validateWorkloadSelector(spec.selector, 'statefulset'),
  ]
  if (validateSelectorCompiles(spec.selector).length === 0) {
    errors.push(...validateSelectedTemplate(spec.template, spec.selector))
  } else errors.push(invalidValue('spec.selector', selectorForMessage(spec.selector), ''))
  return [...errors, ...validateEndlessTemplate(spec.template, 'activeDeadlineSeconds in StatefulSet is not Supported')]
}

function validatePolicies(spec: StatefulSetSpec): FieldError[] {
  const errors: FieldError[] = []
  const { podManagementPolicy, updateStrategy, persistentVolumeClaimRetentionPolicy: retention } = spec
  if (((podManagementPolicy as string | undefined) ?? '') === '') errors.push(required('spec.podManagementPolicy'))
  else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
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
  } else {
    errors.push(...nonNegative(updateStrategy.rollingUpdate?.partition, 'spec.updateStrategy.rollingUpdate.partition'))
  }
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const policy = retention?.[field]
    if (policy === undefined || policy === 'Retain' || policy === 'Delete') continue
    errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, policy, ['Delete', 'Retain']))
  }
  return errors
}

const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const

function validateStatus({ status = { replicas: 0 } }: StatefulSet, old: StatefulSet): FieldError[] {
  const { replicas, readyReplicas = 0, availableReplicas = 0 } = status
  const counts = ['replicas', ...parts, 'observedGeneration', 'collisionCount'] as const
  const errors = counts.flatMap((field) => nonNegative(status[field], `status.${field}`))
  for (const field of parts) {
    if ((status[field] ?? 0) <= replicas) continue
    errors.push(invalidValue(`status.${field}`, status[field], 'cannot be greater than status.replicas'))
  }
  if (availableReplicas > readyReplicas) {
    errors.push(
      invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than status.readyReplicas'),
    )
  }
  return [...errors, ...validateCollisionCount(status.collisionCount, old.status?.collisionCount)]
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
