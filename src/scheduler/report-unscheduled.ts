import { podCondition } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, PodCondition } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'

interface Reporting {
  readonly client: Client
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Log
}

/**
 * Tells of a pod that no node takes: the event `FailedScheduling`, the condition `PodScheduled` false, and the node
 * where others are making room for it. Never rejects.
 */
export async function reportUnscheduled(
  pod: Pod,
  message: string,
  { client, events, clock, log }: Reporting,
  nominatedNodeName: string | undefined = pod.status?.nominatedNodeName,
): Promise<void> {
  events.record(pod, 'Warning', 'FailedScheduling', message)
  const condition = unscheduledCondition(pod, message, clock.now())
  const isNominated = (nominatedNodeName ?? '') !== (pod.status?.nominatedNodeName ?? '')
  if (!condition && !isNominated) return
  const { name, namespace = '', uid } = pod.metadata
  const status = {
    ...(condition && { conditions: [condition] }),
    ...(isNominated && { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName }),
  }
  try {
    const patch = { metadata: { uid }, status }
    await client.resource(pods, namespace).patch(name, { type: 'strategic', patch }, { subresource: 'status' })
  } catch (error) {
    if (!isStatusError(error, 'NotFound', 'Conflict')) log.warn('A pod condition could not be written', { error })
  }
}

/** The condition to write, or nothing where it already says so; the transition time stays while the status does. */
function unscheduledCondition(pod: Pod, message: string, nowMs: number): PodCondition | undefined {
  const old = podCondition(pod, 'PodScheduled')
  if (old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return undefined
  const lastTransitionTime = old?.status === 'False' ? old.lastTransitionTime : formatTime(nowMs)
  return { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }
}
