import type { SampledPods } from './pod-samples.ts'

/** Between these ratios of use to target nothing is changed. */
export interface Tolerance {
  readonly down: number
  readonly up: number
}

/** A metric that cannot be had now: the message is for the autoscaler's condition. */
export class MetricError extends Error {
  override name = 'MetricError'
}

export interface Proposal {
  readonly replicas: number
  /** What was measured, over the pods whose samples count: mean in thousandths, and percent of what they request. */
  readonly averageMilli: number
  readonly utilization?: number
}

export interface PodMetricGoal {
  readonly pods: SampledPods
  readonly currentReplicas: number
  readonly tolerance: Tolerance
  /** Mean value to aim at, in thousandths; or percent of the requests. */
  readonly target: { readonly averageMilli: number } | { readonly utilization: number; readonly requests: Requests }
}

/** Thousandths of the resource's unit that pods request, by name. */
export type Requests = ReadonlyMap<string, number>

/**
 * How many replicas bring the mean of the pods' figures to the target. Pods without a figure are assumed to be such
 * that less is changed: on the way down they use all they may, on the way up nothing; pods that start use nothing.
 */
export function proposeByPods(goal: PodMetricGoal): Proposal {
  const { pods, currentReplicas, tolerance } = goal
  if (pods.ready.size === 0) {
    throw new MetricError('did not receive metrics for targeted pods (pods might be unready)')
  }
  const measured = measure(goal, pods.ready)
  const answer = (replicas: number): Proposal => ({ ...measured.shown, replicas })
  const { ratio } = measured
  const assumesUnready = pods.unready.length > 0 && ratio > 1
  if (!assumesUnready && pods.missing.length === 0) {
    return answer(isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * pods.ready.size))
  }
  const assumed = new Map(pods.ready)
  for (const name of pods.missing) {
    if (ratio !== 1) assumed.set(name, ratio < 1 ? fallback(goal, name) : 0)
  }
  if (assumesUnready) for (const name of pods.unready) assumed.set(name, 0)
  const { ratio: careful } = measure(goal, assumed)
  if (isWithin(careful, tolerance) || (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)) {
    return answer(currentReplicas)
  }
  const replicas = Math.ceil(careful * assumed.size)
  const isOpposite = (careful < 1 && replicas > currentReplicas) || (careful > 1 && replicas < currentReplicas)
  return answer(isOpposite ? currentReplicas : replicas)
}

interface Measured {
  readonly ratio: number
  readonly shown: Omit<Proposal, 'replicas'>
}

function measure({ target }: PodMetricGoal, values: ReadonlyMap<string, number>): Measured {
  if ('averageMilli' in target) {
    const averageMilli = Math.trunc(sum(values.values()) / values.size)
    return { ratio: averageMilli / target.averageMilli, shown: { averageMilli } }
  }
  const known = [...values].filter(([name]) => target.requests.has(name))
  const requested = sum(known.map(([name]) => target.requests.get(name) ?? 0))
  if (requested === 0) throw new MetricError('no metrics returned matched known pods')
  const used = sum(known.map(([, value]) => value))
  const utilization = Math.trunc((used * 100) / requested)
  const averageMilli = Math.trunc(used / known.length)
  return { ratio: utilization / target.utilization, shown: { averageMilli, utilization } }
}

/** What a pod without a figure is assumed to use when replicas might be taken away. */
function fallback({ target }: PodMetricGoal, name: string): number {
  if ('averageMilli' in target) return target.averageMilli
  return ((target.requests.get(name) ?? 0) * Math.max(100, target.utilization)) / 100
}

/** A figure of something else than pods, against a target for all of it: the ready pods are scaled by the ratio. */
export function proposeByValue(
  ratio: number,
  { currentReplicas, readyPods, tolerance }: { currentReplicas: number; readyPods: number; tolerance: Tolerance },
): number {
  if (currentReplicas === 0) return Math.ceil(ratio)
  return isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * readyPods)
}

/** The same against a target for each replica. */
export function proposeByShare(
  milli: number,
  { targetMilli, statusReplicas, tolerance }: { targetMilli: number; statusReplicas: number; tolerance: Tolerance },
): number {
  const ratio = milli / (targetMilli * statusReplicas)
  return isWithin(ratio, tolerance) ? statusReplicas : Math.ceil(milli / targetMilli)
}

function isWithin(ratio: number, { down, up }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
