import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../types/autoscaling.v2.ts'

const shownMetrics = 2

/** `cpu: 10%/80%, 5/10 (avg)`: what each metric is, and should be. */
export function metricCells(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return '<none>'
  const cells = specs.map((spec, index) => metricCell(spec, statuses[index]))
  const shown = cells.slice(0, shownMetrics).join(', ')
  return cells.length > shownMetrics ? `${shown} + ${cells.length - shownMetrics} more...` : shown
}

function metricCell(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return externalCell(spec.external?.target, status?.external?.current)
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? '<unknown>'}/${spec.pods?.target.averageValue ?? '<unset>'}`
    case 'Object':
      return objectCell(spec.object?.target, status?.object?.current)
    case 'Resource':
      return `${spec.resource?.name ?? ''}: ${resourceCell(spec.resource?.target, status?.resource?.current)}`
    case 'ContainerResource': {
      const { name = '', target } = spec.containerResource ?? {}
      return `${name}: ${resourceCell(target, status?.containerResource?.current)}`
    }
    default:
      return '<unknown type>'
  }
}

function externalCell(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '<auto>'}`
}

function objectCell(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '<unset>'}`
}

function resourceCell(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  const now = current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  return `${now}/${target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`}`
}
