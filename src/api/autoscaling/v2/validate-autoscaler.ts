import { positive } from '../../meta/check-numbers.ts'
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

function validateReference(reference: CrossVersionObjectReference | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field] ?? ''
    if (value === '') errors.push(required(`${path}.${field}`))
    else errors.push(...invalidForEach(`${path}.${field}`, value, pathSegment(value)))
  }
  const apiVersion = reference?.apiVersion ?? ''
  if (reference?.kind !== 'ReplicationController' && !apiVersion.includes('/')) {
    errors.push(invalidValue(`${path}.apiVersion`, apiVersion, 'apiVersion must specify API group'))
  }
  return errors
}

const sources = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
} as const

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  if (metric.type === '') return [required(`${path}.type`, 'must specify a metric source type')]
  if (!(metric.type in sources)) return [notSupported(`${path}.type`, metric.type, types)]
  const own = sources[metric.type as keyof typeof sources]
  const errors: FieldError[] = []
  for (const field of Object.values(sources)) {
    if (field === own || metric[field] === undefined) continue
    errors.push(forbiddenField(`${path}.${field}`, 'must populate the given metric source only'))
  }
  if (metric[own] === undefined) {
    errors.push(required(`${path}.${own}`, 'must populate information for the given metric source'))
    return errors
  }
  return [...errors, ...validateSource(metric, own, `${path}.${own}`)]
}

function validateSource(metric: MetricSpec, own: (typeof sources)[keyof typeof sources], path: string): FieldError[] {
  const errors: FieldError[] = []
  if (own === 'object') errors.push(...validateReference(metric.object?.describedObject, `${path}.describedObject`))
  if (own === 'resource' || own === 'containerResource') {
    if (metric[own]?.name === '') errors.push(required(`${path}.name`, 'must specify a resource name'))
    if (own === 'containerResource' && metric.containerResource?.container === '') {
      errors.push(required(`${path}.container`, 'must specify a container'))
    }
  } else if ((metric[own]?.metric?.name ?? '') === '')
    errors.push(required(`${path}.metric.name`, 'must specify a metric name'))
  return [...errors, ...validateTarget(metric[own]?.target, `${path}.target`)]
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const type = target?.type ?? ''
  if (type === '') return [required(`${path}.type`, 'must specify a metric target type')]
  const kinds = ['Utilization', 'Value', 'AverageValue']
  const errors: FieldError[] = []
  if (!kinds.includes(type))
    errors.push(invalidValue(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target?.[field]
    if (quantity === undefined || compareQuantities(quantity, '0') > 0) continue
    errors.push(invalidValue(`${path}.${field}`, quantity, 'must be positive'))
  }
  return [...errors, ...positive(target?.averageUtilization, `${path}.averageUtilization`)]
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
  return errors
}
