import { isStatusError } from '#api/meta/status.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { ClusterCache } from '../cluster-cache.ts'
import type { Refusal } from '../cycle.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Profile } from '../profile.ts'
import { planPreemption } from './plan-preemption.ts'
import type { Candidate } from './victims.ts'

interface Preempting {
  readonly client: Client
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly cache: ClusterCache
  readonly profile: Profile
}

export interface PreemptionOutcome {
  /** What the pod's condition is to say. */
  readonly message: string
  /** Where room is being made; empty to take back an earlier nomination, absent to leave it. */
  readonly nominatedNodeName?: string
  /** The end of the victims, as far as the API server is concerned. Never rejects. */
  readonly work?: Promise<void>
}

/** Kubernetes 1.36 asks the plugin for dynamic resources first; this is its answer where no claims are involved. */
const noClaims = 'no new claims to deallocate'

/** Makes room for a pod that no node takes, where that can be done, by ending pods of lower priority. */
export function preempt(pod: PodInfo, refusal: Refusal, preempting: Preempting): PreemptionOutcome {
  const { cache, random, clock } = preempting
  if (cache.nodes.length === 0) return { message: refusal.message }
  const plan = planPreemption(pod, refusal, { snapshot: cache, random, nowMs: clock.now() })
  if (plan.type !== 'preempt') {
    const message = `${refusal.message} ${noClaims}, preemption: ${plan.message}`
    if (plan.type === 'ineligible') return { message }
    cache.withdrawNomination(pod.uid)
    return { message, nominatedNodeName: '' }
  }
  const { candidate } = plan
  const outranked = [...(candidate.node.nominated?.values() ?? [])].filter(({ priority }) => priority < pod.priority)
  for (const { uid } of outranked) cache.withdrawNomination(uid)
  cache.nominate(pod, candidate.node.name)
  const work = carryOut(pod, candidate, outranked, preempting)
  return { message: refusal.message, nominatedNodeName: candidate.node.name, work }
}

async function carryOut(
  pod: PodInfo,
  { node, victims }: Candidate,
  outranked: readonly PodInfo[],
  preempting: Preempting,
): Promise<void> {
  const { log, cache, events, profile } = preempting
  const recorder = events.from(profile.schedulerName)
  try {
    await Promise.all([
      ...outranked.map((other) => patchStatus(other.pod, { nominatedNodeName: null }, preempting)),
      ...victims.map(async (victim) => {
        if (!(await end(victim.pod, preempting))) return
        recorder.record(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${node.name}`)
      }),
    ])
  } catch (error) {
    log.warn('Pods could not be preempted', { node: node.name, error })
    cache.withdrawNomination(pod.uid)
  }
}

/** Whether the pod was told to end now, with its own grace period. */
async function end(victim: Pod, preempting: Preempting): Promise<boolean> {
  const { client, clock, profile } = preempting
  const { name, namespace = '', uid, deletionTimestamp } = victim.metadata
  if (deletionTimestamp !== undefined) return false
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${profile.schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: formatTime(clock.now()),
  }
  await patchStatus(victim, { conditions: [condition] }, preempting)
  try {
    await client.resource(pods, namespace).delete(name, { preconditions: { uid } })
    return true
  } catch (error) {
    if (isStatusError(error, 'NotFound', 'Conflict')) return false
    throw error
  }
}

async function patchStatus(pod: Pod, status: object, { client }: Preempting): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  const patch = { metadata: { uid }, status }
  try {
    await client.resource(pods, namespace).patch(name, { type: 'strategic', patch }, { subresource: 'status' })
  } catch (error) {
    if (!isStatusError(error, 'NotFound', 'Conflict')) throw error
  }
}
