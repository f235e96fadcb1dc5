import { nonNegative, positive } from '../../meta/check-numbers.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { pathSegment } from '../../meta/names.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../../types/autoscaling.v2.ts'

/** Errors of an autoscaler's spec, in the order of the API server. */
export function validateAutoscaler(spec: HorizontalPodAutoscalerSpec): FieldError[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec
  const errors: FieldError[] = []
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (maxReplicas < 1) errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  errors.push(...validateReference(scaleTargetRef, 'spec.scaleTargetRef'))
  errors.push(...metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)))
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas'
    errors.push(forbiddenField('spec.metrics', detail))
  }
  return [
    ...errors,
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

const maxGroupVersionParts = 2

function validateReference(reference: CrossVersionObjectReference | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field] ?? ''
    if (value === '') errors.push(required(`${path}.${field}`))
    else errors.push(...invalidForEach(`${path}.${field}`, value, pathSegment(value)))
  }
  const apiVersion = reference?.apiVersion ?? ''
  if (apiVersion.split('/').length > maxGroupVersionParts) {
    errors.push(invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  } else if (reference?.kind !== 'ReplicationController' && !apiVersion.includes('/')) {
    errors.push(invalidValue(`${path}.apiVersion`, apiVersion, 'apiVersion must specify API group'))
  }
  return errors
}

/** Where each type keeps its source, in the order in which the sources are looked at. */
const sources = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const

type Source = (typeof sources)[keyof typeof sources]

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

/** Only the first of several sources is looked into. */
function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (metric.type === '') errors.push(required(`${path}.type`, 'must specify a metric source type'))
  else if (!types.includes(metric.type)) errors.push(notSupported(`${path}.type`, metric.type, types))
  const present = Object.values(sources).filter((source) => metric[source] !== undefined)
  const [first] = present
  if (first !== undefined) errors.push(...validateSource(metric, first, `${path}.${first}`))
  const own = Object.hasOwn(sources, metric.type) ? sources[metric.type as keyof typeof sources] : undefined
  if (own !== undefined && metric[own] === undefined) {
    errors.push(required(`${path}.${own}`, 'must populate information for the given metric source'))
  }
  if (present.length === 1) return errors
  const others = present.filter((source) => source !== own).sort()
  return [
    ...errors,
    ...others.map((source) => forbiddenField(`${path}.${source}`, 'must populate the given metric source only')),
  ]
}

function validateSource(metric: MetricSpec, source: Source, path: string): FieldError[] {
  const target = metric[source]?.target
  const errors: FieldError[] = []
  if (source === 'object') errors.push(...validateReference(metric.object?.describedObject, `${path}.describedObject`))
  if (source === 'resource' || source === 'containerResource') {
    if ((metric[source]?.name ?? '') === '') errors.push(required(`${path}.name`, 'must specify a resource name'))
    if (source === 'containerResource' && (metric.containerResource?.container ?? '') === '') {
      errors.push(required(`${path}.container`, 'must specify a container'))
    }
  } else errors.push(...validateMetricName(metric[source]?.metric?.name ?? '', `${path}.metric.name`))
  return [
    ...errors,
    ...validateTarget(target, `${path}.target`),
    ...validateAim(target ?? { type: '' }, source, `${path}.target`),
  ]
}

function validateMetricName(name: string, path: string): FieldError[] {
  return name === '' ? [required(path, 'must specify a metric name')] : invalidForEach(path, name, pathSegment(name))
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const type = target?.type ?? ''
  const kinds = ['Utilization', 'Value', 'AverageValue']
  const errors: FieldError[] = []
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!kinds.includes(type))
    errors.push(invalidValue(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target?.[field]
    if (quantity === undefined || compareQuantities(quantity, '0') > 0) continue
    errors.push(invalidValue(`${path}.${field}`, quantity, 'must be positive'))
  }
  return [...errors, ...positive(target?.averageUtilization, `${path}.averageUtilization`)]
}

/** Which of the numbers of a target a source can aim at. */
function validateAim(
  { value, averageValue, averageUtilization }: MetricTarget,
  source: Source,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (source === 'pods') {
    if (averageValue !== undefined && compareQuantities(averageValue, '0') > 0) return []
    return [required(`${path}.averageValue`, 'must specify a positive target averageValue')]
  }
  if (source === 'object' || source === 'external') {
    if (value === undefined && averageValue === undefined) {
      const detail = 'must set either a target value for metric or a per-pod target'
      errors.push(required(`${path}.averageValue`, detail))
    }
    if (source === 'external' && value !== undefined && averageValue !== undefined) {
      errors.push(forbiddenField(`${path}.value`, 'may not set both a target value for metric and a per-pod target'))
    }
    return errors
  }
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(forbiddenField(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'))
  }
  return errors
}

const maxWindowSeconds = 3600
const maxPeriodSeconds = 1800

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return []
  const errors: FieldError[] = []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules
  if (window !== undefined && (window < 0 || window > maxWindowSeconds)) {
    const detail =
      window < 0 ? 'must be greater than or equal to zero' : `must be less than or equal to ${maxWindowSeconds}`
    errors.push(invalidValue(`${path}.stabilizationWindowSeconds`, window, detail))
  }
  const selections = ['Disabled', 'Max', 'Min']
  if (selectPolicy !== undefined && !selections.includes(selectPolicy)) {
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, selections))
  }
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const at = `${path}.policies[${index}]`
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${at}.type`, type, ['Percent', 'Pods']))
    if (value <= 0) errors.push(invalidValue(`${at}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0) errors.push(invalidValue(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > maxPeriodSeconds) {
      const detail = `must be less than or equal to ${maxPeriodSeconds}`
      errors.push(invalidValue(`${at}.periodSeconds`, periodSeconds, detail))
    }
  }
  if (rules.tolerance !== undefined && compareQuantities(rules.tolerance, '0') < 0) {
    errors.push(invalidValue(`${path}.tolerance`, rules.tolerance, 'must be greater than or equal to 0'))
  }
  return errors
}

/** Counts of a status, which no version may have negative. */
export function validateAutoscalerStatus(
  status: { readonly currentReplicas?: number | undefined; readonly desiredReplicas?: number | undefined } = {},
): FieldError[] {
  return [
    ...nonNegative(status.currentReplicas, 'status.currentReplicas'),
    ...nonNegative(status.desiredReplicas, 'status.desiredReplicas'),
  ]
}
