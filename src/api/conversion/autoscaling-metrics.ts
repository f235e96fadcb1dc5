import type { CrossVersionObjectReference, MetricSpec, MetricStatus } from '../types/autoscaling.v2.ts'
import type { LabelSelector, Quantity } from '../types/meta.v1.ts'

/**
 * Metrics inside a v1 annotation: one flat object per metric, whose value fields begin with `target` in a spec and with
 * `current` in a status. Example: `{"metricName":"m","targetAverageValue":"100m"}`.
 */
export type ValueRole = 'target' | 'current'

export type FlatMetric = { readonly type: string } & { readonly [Source in SourceName]?: FlatSource }

type FlatSource = Readonly<Record<string, unknown>>
type SourceName = 'resource' | 'containerResource' | 'pods' | 'object' | 'external'

const sourceNames: readonly SourceName[] = ['resource', 'containerResource', 'pods', 'object', 'external']

interface NestedSource {
  readonly name?: string
  readonly container?: string
  readonly metric?: { readonly name: string; readonly selector?: LabelSelector | undefined }
  readonly describedObject?: CrossVersionObjectReference
  readonly target?: MetricValues
  readonly current?: MetricValues
}

interface MetricValues {
  readonly type?: string
  readonly value?: Quantity | undefined
  readonly averageValue?: Quantity | undefined
  readonly averageUtilization?: number | undefined
}

export function flatMetric(metric: MetricSpec | MetricStatus, role: ValueRole): FlatMetric {
  const sources = metric as unknown as Readonly<Record<SourceName, NestedSource | undefined>>
  const flat = sourceNames.flatMap((name) => (sources[name] ? [[name, flatSource(name, sources[name], role)]] : []))
  return { type: metric.type, ...(Object.fromEntries(flat) as object) }
}

function flatSource(source: SourceName, nested: NestedSource, role: ValueRole): FlatSource {
  const values = nested[role] ?? {}
  const selectorName = source === 'external' ? 'metricSelector' : 'selector'
  const averageName = source === 'object' ? 'averageValue' : `${role}AverageValue`
  const valueName = source === 'external' || source === 'object' || role === 'target' ? `${role}Value` : 'value'
  return withoutAbsent({
    name: nested.name,
    target: nested.describedObject,
    metricName: nested.metric?.name,
    [`${role}AverageUtilization`]: values.averageUtilization,
    [averageName]: values.averageValue,
    [valueName]: values.value,
    [selectorName]: nested.metric?.selector,
    container: nested.container,
  })
}

export function metricFromFlat(flat: FlatMetric, role: ValueRole): MetricSpec | MetricStatus {
  const nested = sourceNames.flatMap((name) => (flat[name] ? [[name, nestedSource(name, flat[name], role)]] : []))
  return { type: flat.type, ...(Object.fromEntries(nested) as object) }
}

function nestedSource(source: SourceName, flat: FlatSource, role: ValueRole): NestedSource {
  const averageUtilization = flat[`${role}AverageUtilization`]
  const averageValue = source === 'object' ? flat['averageValue'] : flat[`${role}AverageValue`]
  const value = flat[`${role}Value`]
  const type = averageUtilization !== undefined ? 'Utilization' : averageValue !== undefined ? 'AverageValue' : 'Value'
  const selector = flat['selector'] ?? flat['metricSelector']
  const metricName = flat['metricName']
  return withoutAbsent({
    name: flat['name'],
    container: flat['container'],
    describedObject: source === 'object' ? flat['target'] : undefined,
    metric: metricName === undefined ? undefined : withoutAbsent({ name: metricName, selector }),
    [role]: withoutAbsent({ type: role === 'target' ? type : undefined, value, averageValue, averageUtilization }),
  })
}

function withoutAbsent(object: object): FlatSource {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
