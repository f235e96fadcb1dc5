import { isStatusError } from '#api/meta/status.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import {
  definePlugin,
  type Candidate,
  type PostFilterContext,
  type PostFilterOutcome,
  type Refusal,
  type SchedulerPlugin,
} from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import { chooseCandidate } from './choose-candidate.ts'
import { planPreemption, type PreemptionOptions } from './plan-preemption.ts'

/** Makes room for a pod that no node takes, where that can be done, by ending pods of lower priority. */
export function defaultPreemption(options: PreemptionOptions = {}): SchedulerPlugin {
  return definePlugin({
    name: 'DefaultPreemption',
    postFilter: (pod, refusal, context) => makeRoom(pod, refusal, context, options),
    helpedBy: () => false,
  })
}

function makeRoom(
  pod: PodInfo,
  refusal: Refusal,
  context: PostFilterContext,
  options: PreemptionOptions,
): PostFilterOutcome | Promise<PostFilterOutcome> {
  const { snapshot, random, clock, nominations, extenders } = context
  const plan = planPreemption(pod, refusal, { snapshot, random, nowMs: clock.now(), options })
  if (plan.type === 'ineligible') return { message: `preemption: ${plan.message}` }
  if (plan.type === 'hopeless') {
    nominations.withdrawNomination(pod.uid)
    return { message: `preemption: ${plan.message}`, nominatedNodeName: '' }
  }
  const asked = extenders.filter((extender) => extender.preempt && extender.isInterestedIn(pod.pod))
  if (asked.length === 0) return begin(pod, plan.candidates, context)
  return askExtenders(pod, plan.candidates, context).then((left) => begin(pod, left, context))
}

/** Each extender in turn may strike candidates or name other victims. */
async function askExtenders(
  pod: PodInfo,
  candidates: readonly Candidate[],
  { extenders, log }: PostFilterContext,
): Promise<readonly Candidate[]> {
  let left = candidates
  for (const { preempt, isInterestedIn, isIgnorable, name } of extenders) {
    if (!preempt || !isInterestedIn(pod.pod) || left.length === 0) continue
    try {
      left = await preempt(pod, left)
    } catch (error) {
      log.warn('An extender could not be asked about preemption', { extender: name, error })
      if (!isIgnorable) return []
    }
  }
  return left
}

function begin(pod: PodInfo, candidates: readonly Candidate[], context: PostFilterContext): PostFilterOutcome {
  const { nominations, clock } = context
  const candidate = chooseCandidate(candidates, clock.now())
  if (!candidate) return { message: 'preemption: no candidate node for preemption' }
  const outranked = [...(candidate.node.nominated?.values() ?? [])].filter(({ priority }) => priority < pod.priority)
  for (const { uid } of outranked) nominations.withdrawNomination(uid)
  nominations.nominate(pod, candidate.node.name)
  return { nominatedNodeName: candidate.node.name, work: carryOut(pod, candidate, outranked, context) }
}

async function carryOut(
  pod: PodInfo,
  { node, victims }: Candidate,
  outranked: readonly PodInfo[],
  context: PostFilterContext,
): Promise<void> {
  const { log, nominations, events, schedulerName } = context
  const recorder = events.from(schedulerName)
  try {
    await Promise.all([
      ...outranked.map((other) => patchStatus(other.pod, { nominatedNodeName: null }, context)),
      ...victims.map(async (victim) => {
        if (!(await end(victim, context))) return
        recorder.record(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${node.name}`)
      }),
    ])
  } catch (error) {
    log.warn('Pods could not be preempted', { node: node.name, error })
    nominations.withdrawNomination(pod.uid)
  }
}

/** Whether the pod was told to end now, with its own grace period. */
async function end({ pod: victim }: PodInfo, context: PostFilterContext): Promise<boolean> {
  const { client, clock, schedulerName, waiting } = context
  const { name, namespace = '', uid, deletionTimestamp } = victim.metadata
  // A pod that is not bound yet need not end: it goes back to the queue.
  const rejection = { plugin: 'DefaultPreemption', reason: 'preempted' }
  if (deletionTimestamp !== undefined || waiting.reject(uid, rejection)) return false
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: formatTime(clock.now()),
  }
  await patchStatus(victim, { conditions: [condition] }, context)
  try {
    await client.resource(pods, namespace).delete(name, { preconditions: { uid } })
    return true
  } catch (error) {
    if (isStatusError(error, 'NotFound', 'Conflict')) return false
    throw error
  }
}

async function patchStatus(pod: Pod, status: object, { client }: PostFilterContext): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  const patch = { metadata: { uid }, status }
  try {
    await client.resource(pods, namespace).patch(name, { type: 'strategic', patch }, { subresource: 'status' })
  } catch (error) {
    if (!isStatusError(error, 'NotFound', 'Conflict')) throw error
  }
}
