import { podRequests } from '#api/core/v1/pod-resources.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { EvictionSignal, SignalResource } from './signals.ts'
import { signalFacts } from './signals.ts'

export interface PodUsage {
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly inodes: number
  readonly processes: number
}

export interface Candidate<Subject extends { readonly pod: Pod }> {
  readonly subject: Subject
  readonly usage: PodUsage
}

/**
 * Who goes first when a resource runs out, by the documentation of node-pressure eviction: pods that use more than
 * they asked for, then the lower priority, then the larger use beyond the request. Nothing is asked for of process ids
 * and inodes, so only priority and use count there.
 */
export function rankForEviction<Subject extends { readonly pod: Pod }>(
  signal: EvictionSignal,
  candidates: readonly Candidate<Subject>[],
): readonly Subject[] {
  const measure = measures[signalFacts[signal].resource]
  const ranked = candidates.map((candidate) => ({
    subject: candidate.subject,
    priority: candidate.subject.pod.spec.priority ?? 0,
    ...measure(candidate.subject.pod, candidate.usage),
  }))
  ranked.sort(
    (a, b) => Number(b.exceeds) - Number(a.exceeds) || a.priority - b.priority || b.beyondRequest - a.beyondRequest,
  )
  return ranked.map(({ subject }) => subject)
}

interface Measure {
  readonly exceeds: boolean
  readonly beyondRequest: number
}

const measures: Readonly<Record<SignalResource, (pod: Pod, usage: PodUsage) => Measure>> = {
  memory: (pod, { memoryBytes }) => beyond(memoryBytes, podRequests(pod)['memory']),
  'ephemeral-storage': (pod, { diskBytes }) => beyond(diskBytes, podRequests(pod)['ephemeral-storage']),
  inodes: (_pod, { inodes }) => ({ exceeds: false, beyondRequest: inodes }),
  pids: (_pod, { processes }) => ({ exceeds: false, beyondRequest: processes }),
}

function beyond(used: number, requested: number = 0): Measure {
  return { exceeds: used > requested, beyondRequest: used - requested }
}
