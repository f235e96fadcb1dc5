import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, selectorCell } from '../../meta/cells.ts'
import { nonNegative, notAbove100Percent, validateNonNegativeIntOrPercent } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy } from '../../types/apps.v1.ts'
import { desiredReplicas } from './deployment-facts.ts'
import {
  validateCollisionCount,
  validateEndlessTemplate,
  validateSelectedTemplate,
  validateSelectorCompiles,
  validateSelectorUpdate,
  validateWorkloadSelector,
} from './validate-workload.ts'
import { podNameWarnings } from '../../core/v1/pod/name-warnings.ts'

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  hasGeneration: true,
  setDefaults: setDeploymentDefaults,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: ({ spec }) => validateDeploymentSpec(spec),
  validateUpdate: (now, old) => validateSelectorUpdate(now.spec.selector, old.spec.selector),
  validateStatusUpdate: validateStatus,
  warnings: ({ metadata, spec }, old) => [
    ...podNameWarnings(metadata, old),
    ...templateWarnings(spec.template, old?.spec.template),
  ],
  cells: (deployment, nowMs) => {
    const { metadata, spec, status } = deployment
    return [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${desiredReplicas(deployment)}`,
      status?.updatedReplicas ?? 0,
      status?.availableReplicas ?? 0,
      ageOf(metadata.creationTimestamp, nowMs),
      ...containerCells(spec.template.spec.containers),
      selectorCell(spec.selector),
    ]
  },
})

const progressDeadlineSeconds = 600
const revisionHistoryLimit = 10

function setDeploymentDefaults(draft: Draft<Deployment>): void {
  const spec = (draft.spec ??= {} as Draft<DeploymentSpec>)
  spec.replicas ??= 1
  const strategy = (spec.strategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {})
    rolling.maxUnavailable ??= '25%'
    rolling.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= revisionHistoryLimit
  spec.progressDeadlineSeconds ??= progressDeadlineSeconds
  spec.template = templateWithDefaults(spec.template)
}

function validateDeploymentSpec(spec: DeploymentSpec): FieldError[] {
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateWorkloadSelector(spec.selector, 'deployment'),
  ]
  if (validateSelectorCompiles(spec.selector).length > 0) errors.push(...validateSelectorCompiles(spec.selector))
  else {
    errors.push(...validateSelectedTemplate(spec.template, spec.selector))
    errors.push(...validateEndlessTemplate(spec.template, 'activeDeadlineSeconds in ReplicaSet is not Supported'))
  }
  return [
    ...errors,
    ...validateStrategy(spec.strategy),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...validateProgressDeadline(spec),
  ]
}

function validateProgressDeadline({
  progressDeadlineSeconds: deadline,
  minReadySeconds = 0,
}: DeploymentSpec): FieldError[] {
  if (deadline === undefined) return []
  const path = 'spec.progressDeadlineSeconds'
  const errors = nonNegative(deadline, path)
  if (deadline <= minReadySeconds) errors.push(invalidValue(path, deadline, 'must be greater than minReadySeconds'))
  return errors
}

function validateStrategy(strategy: DeploymentStrategy | undefined): FieldError[] {
  const path = 'spec.strategy'
  if (strategy?.type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'"
    return strategy.rollingUpdate === undefined ? [] : [forbiddenField(`${path}.rollingUpdate`, detail)]
  }
  if (strategy?.type !== 'RollingUpdate') {
    const shown = { Type: strategy?.type ?? '', RollingUpdate: strategy?.rollingUpdate ?? null }
    return [notSupported(path, shown, ['Recreate', 'RollingUpdate'])]
  }
  if (strategy.rollingUpdate === undefined) {
    return [required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')]
  }
  return validateRollingUpdate(strategy.rollingUpdate, `${path}.rollingUpdate`)
}

function validateRollingUpdate(
  { maxUnavailable, maxSurge }: NonNullable<DeploymentStrategy['rollingUpdate']>,
  path: string,
): FieldError[] {
  const errors = [
    ...validateNonNegativeIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validateNonNegativeIntOrPercent(maxSurge, `${path}.maxSurge`),
  ]
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(invalidValue(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  return [...errors, ...notAbove100Percent(maxUnavailable, `${path}.maxUnavailable`)]
}

function isZero(value: number | string | undefined): boolean {
  return value === undefined || (typeof value === 'number' ? value === 0 : /^0+%$/.test(value))
}

function validateStatus({ status = {} }: Deployment, old: Deployment): FieldError[] {
  const counts = [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'terminatingReplicas',
  ] as const
  const errors = [
    ...counts.flatMap((field) => nonNegative(status[field], `status.${field}`)),
    ...nonNegative(status.unavailableReplicas, 'status.unavailableReplicas'),
    ...nonNegative(status.collisionCount, 'status.collisionCount'),
  ]
  const { replicas = 0, readyReplicas = 0 } = status
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if ((status[field] ?? 0) <= replicas) continue
    errors.push(invalidValue(`status.${field}`, status[field], 'cannot be greater than status.replicas'))
  }
  if ((status.availableReplicas ?? 0) > readyReplicas) {
    errors.push(
      invalidValue('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas'),
    )
  }
  return [...errors, ...validateCollisionCount(status.collisionCount, old.status?.collisionCount)]
}
