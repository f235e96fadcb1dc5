import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { templateWithDefaults, validatePodTemplate } from '../../core/v1/pod-template.ts'
import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import { containerCells, labelsCell, selectorCell } from '../../meta/cells.ts'
import { nonNegative, notAbove100Percent, validateNonNegativeIntOrPercent } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { matcherOf } from '../../meta/labels.ts'
import type { FieldError } from '../../meta/status.ts'
import { isEmptySelector, selectorForMessage, sortedMap, validateLabelSelector } from '../../meta/validate-labels.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from '../../types/apps.v1.ts'
import { validateCollisionCount, validateEndlessTemplate, validateSelectorUpdate } from './validate-workload.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { keepStatus } from '../../meta/keep-status.ts'

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  hasGeneration: true,
  setDefaults: setDaemonSetDefaults,
  prepareForCreate(draft) {
    draft.status = { ...noCounts }
    setTemplateGeneration(draft, 1)
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    const before = templateGenerationOf(old)
    setTemplateGeneration(draft, deepEqual(draft.spec.template, old.spec.template) ? before : before + 1)
  },
  validate: ({ spec }) => validateDaemonSetSpec(spec),
  validateUpdate: (now, old) => validateSelectorUpdate(now.spec.selector, old.spec.selector),
  validateStatusUpdate: validateStatus,
  warnings: ({ spec }, old) => templateWarnings(spec.template, old?.spec.template),
  cells: ({ metadata, spec, status = noCounts }, nowMs) => [
    metadata.name,
    status.desiredNumberScheduled,
    status.currentNumberScheduled,
    status.numberReady,
    status.updatedNumberScheduled ?? 0,
    status.numberAvailable ?? 0,
    labelsCell(spec.template.spec.nodeSelector),
    ageOf(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template.spec.containers),
    selectorCell(spec.selector),
  ],
})

const noCounts: Draft<DaemonSetStatus> = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
}

const revisionHistoryLimit = 10

/** Older versions of the API counted the templates in the spec; the count lives on in an annotation. */
const templateGeneration = 'deprecated.daemonset.template.generation'

function templateGenerationOf({ metadata }: DaemonSet): number {
  const count = Number(metadata.annotations?.[templateGeneration] ?? 0)
  return Number.isSafeInteger(count) ? count : 0
}

function setTemplateGeneration({ metadata }: Draft<DaemonSet>, count: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: `${count}` }
}

function setDaemonSetDefaults(draft: Draft<DaemonSet>): void {
  if (draft.metadata.annotations?.[templateGeneration] === undefined) setTemplateGeneration(draft, 0)
  const spec = (draft.spec ??= {} as Draft<DaemonSetSpec>)
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {})
    rolling.maxUnavailable ??= 1
    rolling.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= revisionHistoryLimit
  spec.template = templateWithDefaults(spec.template)
}

function validateDaemonSetSpec(spec: DaemonSetSpec): FieldError[] {
  const { selector, template } = spec
  const errors = validateLabelSelector(selector, 'spec.selector')
  const labels = template.metadata?.labels
  if (errors.length === 0 && !matcherOf(selector).matches(labels ?? {})) {
    const detail = '`selector` does not match template `labels`'
    errors.push(invalidValue('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  if (selector !== undefined && isEmptySelector(selector)) {
    errors.push(invalidValue('spec.selector', selectorForMessage(selector), 'empty selector is invalid for daemonset'))
  }
  return [
    ...errors,
    ...validatePodTemplate(template, 'spec.template'),
    ...validateEndlessTemplate(template, 'activeDeadlineSeconds in DaemonSet is not Supported'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ]
}

const counts = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

function validateStatus({ status }: DaemonSet, old: DaemonSet): FieldError[] {
  return [
    ...counts.flatMap((field) => nonNegative(status?.[field], `status.${field}`)),
    ...validateCollisionCount(status?.collisionCount, old.status?.collisionCount),
  ]
}

function validateStrategy(strategy: DaemonSetUpdateStrategy | undefined, path: string): FieldError[] {
  if (strategy?.type === 'OnDelete') return []
  if (strategy?.type !== 'RollingUpdate') {
    const shown = { Type: strategy?.type ?? '', RollingUpdate: strategy?.rollingUpdate ?? null }
    return [notSupported(path, shown, ['RollingUpdate', 'OnDelete'])]
  }
  if (strategy.rollingUpdate === undefined) return [required(`${path}.rollingUpdate`)]
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate
  const at = `${path}.rollingUpdate`
  const unavailable = validateNonNegativeIntOrPercent(maxUnavailable, `${at}.maxUnavailable`)
  const surge = validateNonNegativeIntOrPercent(maxSurge, `${at}.maxSurge`)
  return [
    ...validateOneLimit(isSome(maxUnavailable), isSome(maxSurge) ? maxSurge : undefined, at),
    ...unavailable,
    ...notAbove100Percent(maxUnavailable, `${at}.maxUnavailable`),
    ...surge,
    ...notAbove100Percent(maxSurge, `${at}.maxSurge`),
  ]
}

/** A node either loses its old pod first or gets its new one first. */
function validateOneLimit(unavailable: boolean, surge: number | string | undefined, path: string): FieldError[] {
  if (unavailable && surge !== undefined) {
    return [invalidValue(`${path}.maxSurge`, surge, 'may not be set when maxUnavailable is non-zero')]
  }
  const neither = !unavailable && surge === undefined
  return neither ? [required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')] : []
}

function isSome(value: number | string | undefined): boolean {
  return value !== undefined && Number.parseInt(`${value}`, 10) !== 0
}
