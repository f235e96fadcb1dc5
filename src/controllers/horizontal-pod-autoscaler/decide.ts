import { quantityToNumber } from '#api/meta/quantity.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '#api/types/autoscaling.v2.ts'
import { limitChange, type Finding } from './limit-change.ts'
import type { Evaluation } from './evaluate-metric.ts'
import type { Tolerance } from './proposal.ts'
import type { ScalingMemory } from './scaling-memory.ts'

/** What came of asking for one metric. */
export type Reading =
  | { readonly spec: MetricSpec; readonly evaluation: Evaluation }
  | { readonly spec: MetricSpec; readonly error: Error }

/** The answer of all metrics together. */
export interface Wish {
  /** Undefined: they cannot be trusted to take replicas away, or say nothing at all. */
  readonly replicas: number | undefined
  readonly metric: string
  readonly statuses: readonly MetricStatus[]
  readonly failure?: { readonly reason: string; readonly message: string; readonly summary: string }
}

/** Use within so much of the target changes nothing, where the autoscaler's rules say nothing else. */
const defaultTolerance = 0.1

export function toleranceOf({ spec }: HorizontalPodAutoscaler): Tolerance {
  const read = (text: string | undefined): number => (text === undefined ? defaultTolerance : quantityToNumber(text))
  return { down: read(spec.behavior?.scaleDown?.tolerance), up: read(spec.behavior?.scaleUp?.tolerance) }
}

/** The highest of what the metrics call for; one that cannot be had forbids to go below the present number. */
export function decideWish(readings: readonly Reading[], currentReplicas: number): Wish {
  const evaluations = readings.flatMap((reading) => ('evaluation' in reading ? [reading.evaluation] : []))
  const failed = readings.find((reading) => 'error' in reading)
  const statuses = evaluations.map(({ status }) => status)
  const highest = evaluations.reduce<Evaluation | undefined>(
    (best, next) => (best === undefined || next.replicas > best.replicas ? next : best),
    undefined,
  )
  const isUnsafe = failed !== undefined && (highest === undefined || highest.replicas < currentReplicas)
  if (failed === undefined || !isUnsafe) return { replicas: highest?.replicas, metric: highest?.name ?? '', statuses }
  const { spec, error } = failed as Extract<Reading, { error: Error }>
  const count = readings.length - evaluations.length
  const message = failureText(spec, error)
  const summary = `invalid metrics (${count} invalid out of ${readings.length}), first error is: ${message}`
  return { replicas: undefined, metric: '', statuses, failure: { reason: failureReason(spec), message, summary } }
}

const metricTypes = new Set(['Resource', 'ContainerResource', 'Pods', 'Object', 'External'])

function failureReason({ type }: MetricSpec): string {
  return metricTypes.has(type) ? `FailedGet${type}Metric` : 'InvalidMetricSourceType'
}

/** What a failure calls its metric, by the metric's type. */
const subjects: Readonly<Record<string, (spec: MetricSpec) => readonly [what: string, detail: string]>> = {
  Resource: ({ resource }) => [`${resource?.name} resource`, `failed to get ${resource?.name} utilization`],
  ContainerResource: ({ containerResource: known }) => [
    `${known?.name} container`,
    `failed to get ${known?.name} utilization`,
  ],
  Pods: ({ pods }) => ['pods', `unable to get metric ${pods?.metric.name}`],
  Object: ({ object }) => ['object', `unable to get metric ${object?.metric.name}`],
  External: ({ external }) => [
    `${external?.metric.name} external`,
    `unable to get external metric ${external?.metric.name}`,
  ],
}

function failureText(spec: MetricSpec, { message }: Error): string {
  const named = subjects[spec.type]?.(spec)
  return named === undefined ? message : `failed to get ${named[0]} metric value: ${named[1]}: ${message}`
}

export interface Decision {
  readonly replicas: number
  /** Why, for the event of a change. */
  readonly reason: string
  readonly findings: readonly Finding[]
}

/** How many replicas there shall be, for a wish that the metrics agree on. */
export function decideReplicas(
  autoscaler: HorizontalPodAutoscaler,
  currentReplicas: number,
  { replicas: wantedReplicas, metric }: { readonly replicas: number; readonly metric: string },
  { memory, nowMs }: { readonly memory: ScalingMemory; readonly nowMs: number },
): Decision {
  const { replicas, findings } = limitChange({ autoscaler, currentReplicas, wantedReplicas, memory, nowMs })
  const reason = wantedReplicas > currentReplicas ? `${metric} above target` : 'All metrics below target'
  return { replicas, reason, findings }
}
