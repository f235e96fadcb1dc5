import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'

/** One measured figure of a pod, in thousandths of its unit. */
export interface Sample {
  readonly milli: number
  readonly timestampMs: number
  readonly windowMs: number
}

/** By pod name. */
export type Samples = ReadonlyMap<string, Sample>

/** What a pod's figures are worth. */
export interface SampledPods {
  /** Ready pods with a figure. */
  readonly ready: ReadonlyMap<string, number>
  readonly unready: readonly string[]
  readonly missing: readonly string[]
}

/** How long after its start a pod's processor use says little: it is still starting up. */
const startupMs = 300_000
/** A pod that has not been ready by so long after its start has never been. */
const initialReadinessMs = 30_000

/** Sorts the pods by what their samples are worth; those that are going or failed do not count at all. */
export function sortSamples(pods: readonly Pod[], samples: Samples, isCpu: boolean, nowMs: number): SampledPods {
  const ready = new Map<string, number>()
  const unready: string[] = []
  const missing: string[] = []
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue
    const sample = samples.get(name)
    if (pod.status?.phase === 'Pending') unready.push(name)
    else if (sample === undefined) missing.push(name)
    else if (isCpu && isStarting(pod, sample, nowMs)) unready.push(name)
    else ready.set(name, sample.milli)
  }
  return { ready, unready, missing }
}

function isStarting(pod: Pod, { timestampMs, windowMs }: Sample, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready')
  const { startTime } = pod.status ?? {}
  if (condition === undefined || startTime === undefined) return true
  const startedMs = Date.parse(startTime)
  const changedMs = Date.parse(condition.lastTransitionTime ?? startTime)
  if (startedMs + startupMs > nowMs) return condition.status === 'False' || timestampMs < changedMs + windowMs
  return condition.status === 'False' && startedMs + initialReadinessMs > changedMs
}
