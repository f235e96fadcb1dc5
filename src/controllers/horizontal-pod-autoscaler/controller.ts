import { isDeepStrictEqual } from 'node:util'
import { parseLabelSelector } from '#api/meta/labels.ts'
import { setCondition } from '#api/meta/conditions.ts'
import { splitKey } from '#api/meta/resource.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from '#api/types/autoscaling.v2.ts'
import { customResourceDefinitions, horizontalPodAutoscalers, pods } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { growingBuckets } from '#lib/metrics/metric-set.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { groupOf } from '../owned-objects.ts'
import { messageOf } from '../pod-from-template.ts'
import { decideReplicas, decideWish, toleranceOf, type Decision, type Reading } from './decide.ts'
import { evaluateMetric, type Workload } from './evaluate-metric.ts'
import { metricsSource } from './metrics-source.ts'
import { MetricError } from './proposal.ts'
import { pathOf, readScale, resourceOf, writeScale, type Scale } from './scale-target.ts'
import { ScalingMemory } from './scaling-memory.ts'

/** Metrics cannot be watched: they are asked for at this interval, for as long as there is an autoscaler. */
const intervalMs = 15_000

/** Keeps the number of replicas of workloads where their metrics want it. */
export function horizontalPodAutoscalerController(): Controller {
  const memories = new Map<string, ScalingMemory>()
  return defineController({
    name: 'horizontal-pod-autoscaler',
    queueName: 'horizontalpodautoscaler',
    watches: [
      watchOf(horizontalPodAutoscalers, keysOfChange),
      watchOf(pods, () => []),
      watchOf(customResourceDefinitions, () => []),
    ],
    writes: [
      { resource: { group: '*', plural: '*' }, subresource: 'scale', verbs: ['get', 'update'] },
      { resource: horizontalPodAutoscalers, subresource: 'status', verbs: ['update'] },
    ],
    reconcile: (key, context) => reconcile(key, context, memories),
  })
}

/** What is known of each autoscaler, by its key. */
type Memories = Map<string, ScalingMemory>

/** What the controller itself writes wakes it not: only the interval and a change of the wish do. */
function keysOfChange(
  { metadata, spec }: HorizontalPodAutoscaler,
  _context: ControllerContext,
  previous?: HorizontalPodAutoscaler,
): readonly string[] {
  if (previous !== undefined && isDeepStrictEqual(previous.spec, spec)) return []
  return [`${metadata.namespace}/${metadata.name}`]
}

/** The status while it is worked out. */
class Draft {
  readonly autoscaler: HorizontalPodAutoscaler
  readonly #now: string
  conditions: readonly HorizontalPodAutoscalerCondition[]
  currentReplicas: number | undefined
  desiredReplicas: number
  lastScaleTime: string | undefined
  currentMetrics: readonly MetricStatus[] | undefined

  constructor(autoscaler: HorizontalPodAutoscaler, nowMs: number) {
    const { status } = autoscaler
    this.autoscaler = autoscaler
    this.#now = formatTime(nowMs)
    this.conditions = status?.conditions ?? []
    this.currentReplicas = status?.currentReplicas
    this.desiredReplicas = status?.desiredReplicas ?? 0
    this.lastScaleTime = status?.lastScaleTime
    this.currentMetrics = status?.currentMetrics
  }

  set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    this.conditions = setCondition(this.conditions, { type, status, reason, message }, this.#now)
  }
}

async function reconcile(key: string, context: ControllerContext, memories: Memories): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const autoscaler = context.informers.of(horizontalPodAutoscalers).get(name, namespace)
  if (autoscaler === undefined) {
    memories.delete(key)
    return
  }
  if (autoscaler.metadata.deletionTimestamp !== undefined) return
  const memory = memories.get(key) ?? new ScalingMemory()
  memories.set(key, memory)
  const draft = new Draft(autoscaler, context.clock.now())
  const startedMs = context.clock.monotonic()
  const outcome = await scale(context, draft, memory, memories)
  await writeStatus(context, draft)
  count(context, outcome, (context.clock.monotonic() - startedMs) / 1_000)
  return { requeueAfterMs: intervalMs }
}

/** What came of a look at an autoscaler, as metrics tell it. */
interface Outcome {
  readonly action: 'scale_up' | 'scale_down' | 'none'
  readonly error: 'none' | 'internal'
}

const buckets = growingBuckets(0.001, 2, 15)

function count({ metrics }: ControllerContext, { action, error }: Outcome, seconds: number): void {
  const own = 'horizontal_pod_autoscaler_controller'
  const labels = { action, error }
  metrics.counter(`${own}_reconciliations_total`, 'Number of reconciliations of HPA controller.').add(labels)
  const help = 'The time(seconds) that the HPA controller takes to reconcile once.'
  metrics.histogram(`${own}_reconciliation_duration_seconds`, help, buckets).observe(seconds, labels)
}

async function scale(
  context: ControllerContext,
  draft: Draft,
  memory: ScalingMemory,
  memories: Memories,
): Promise<Outcome> {
  const failed: Outcome = { action: 'none', error: 'internal' }
  const found = await findTarget(context, draft)
  if (found === undefined) return failed
  const { path, target } = found
  const currentReplicas = target.spec.replicas ?? 0
  if (memory.isEmpty) memory.recommend(currentReplicas, context.clock.now())
  draft.currentReplicas = target.status?.replicas ?? currentReplicas
  const aim = { target, memory, memories }
  const decision = await decide(context, draft, aim)
  if (decision === undefined) return failed
  draft.desiredReplicas = decision.replicas
  for (const { type, status, reason, message } of decision.findings) draft.set(type, status, reason, message)
  if (decision.replicas === currentReplicas) return { action: 'none', error: 'none' }
  const isDone = await rescale(context, draft, { ...aim, path, decision })
  return {
    action: decision.replicas > currentReplicas ? 'scale_up' : 'scale_down',
    error: isDone ? 'none' : 'internal',
  }
}

/** Undefined: there is no such scale, and the draft says so. */
async function findTarget(
  { client, informers, events }: ControllerContext,
  draft: Draft,
): Promise<{ readonly path: string; readonly target: Scale } | undefined> {
  const { namespace = '' } = draft.autoscaler.metadata
  const reference = draft.autoscaler.spec.scaleTargetRef
  try {
    const path = pathOf(reference, { namespace, subresource: 'scale', informers })
    const group = groupOf(reference.apiVersion ?? '')
    if (path === undefined) throw new Error(`no matches for kind "${reference.kind}" in group "${group}"`)
    const target = await readScale(client, path)
    const message = "the HPA controller was able to get the target's current scale"
    draft.set('AbleToScale', 'True', 'SucceededGetScale', message)
    return { path, target }
  } catch (error) {
    const message = messageOf(error)
    events.record(draft.autoscaler, 'Warning', 'FailedGetScale', message)
    const text = `the HPA controller was unable to get the target's current scale: ${message}`
    draft.set('AbleToScale', 'False', 'FailedGetScale', text)
    return undefined
  }
}

interface Aim {
  readonly target: Scale
  readonly memory: ScalingMemory
  readonly memories: Memories
}

/** Undefined: nothing can be said, and the draft says why. */
async function decide(
  context: ControllerContext,
  draft: Draft,
  { target, memory, memories }: Aim,
): Promise<Decision | undefined> {
  const { spec } = draft.autoscaler
  const { minReplicas = 1, maxReplicas } = spec
  const currentReplicas = target.spec.replicas ?? 0
  if (currentReplicas === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    draft.set('ScalingActive', 'False', 'ScalingDisabled', message)
    return { replicas: 0, reason: '', findings: [] }
  }
  if (currentReplicas > maxReplicas) {
    return { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', findings: [] }
  }
  if (currentReplicas < minReplicas) {
    return { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas', findings: [] }
  }
  const workload = workloadOf(context, draft, target)
  if (workload === undefined) return undefined
  memory.selector = workload.selector
  if (tellOfRivals(context, draft, workload, memories)) return undefined
  const readings = await Promise.all((spec.metrics ?? []).map((metric) => read(metric, workload)))
  const wish = decideWish(readings, currentReplicas)
  draft.currentMetrics = wish.statuses
  for (const reading of readings) tellOfFailure(context, draft, reading)
  if (wish.replicas === undefined) {
    const { reason = 'InvalidMetricSourceType', message = '', summary = '' } = wish.failure ?? {}
    draft.set('ScalingActive', 'False', reason, `the HPA was unable to compute the replica count: ${message}`)
    context.events.record(draft.autoscaler, 'Warning', 'FailedComputeMetricsReplicas', summary)
    draft.desiredReplicas = currentReplicas
    return undefined
  }
  const found = `the HPA was able to successfully calculate a replica count from ${wish.metric}`
  draft.set('ScalingActive', 'True', 'ValidMetricFound', found)
  const { replicas, metric } = wish
  return decideReplicas(draft.autoscaler, currentReplicas, { replicas, metric }, { memory, nowMs: context.clock.now() })
}

/** Whether other autoscalers would scale some of the same pods: then neither must. */
function tellOfRivals(
  { events }: ControllerContext,
  draft: Draft,
  { namespace, selector, pods: own }: Workload,
  memories: Memories,
): boolean {
  const selectors = [...memories].filter(([key]) => splitKey(key).namespace === namespace)
  const selecting = selectors.filter(([, memory]) => {
    const matcher = memory.selector === undefined ? undefined : parseLabelSelector(memory.selector)
    return matcher !== undefined && own.some(({ metadata }) => matcher.matches(metadata.labels))
  })
  if (selecting.length < 2) return false
  const names = selecting.map(([key]) => key).sort()
  const message = `pods by selector "${selector}" are controlled by multiple HPAs: [${names.join(' ')}]`
  events.record(draft.autoscaler, 'Warning', 'AmbiguousSelector', message)
  draft.set('ScalingActive', 'False', 'AmbiguousSelector', message)
  return true
}

/** Undefined for a target that does not say which pods are its own. */
function workloadOf(context: ControllerContext, draft: Draft, target: Scale): Workload | undefined {
  const { informers, client, clock, events } = context
  const { namespace = '' } = draft.autoscaler.metadata
  const selector = target.status?.selector ?? ''
  if (selector === '') {
    events.record(draft.autoscaler, 'Warning', 'SelectorRequired', 'selector is required')
    draft.set('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector")
    return undefined
  }
  const matcher = parseLabelSelector(selector)
  const all = informers.of(pods).list(namespace)
  return {
    namespace,
    selector,
    pods: all.filter(({ metadata }) => matcher.matches(metadata.labels)),
    currentReplicas: target.spec.replicas ?? 0,
    statusReplicas: target.status?.replicas ?? 0,
    tolerance: toleranceOf(draft.autoscaler),
    source: metricsSource(client),
    nowMs: clock.now(),
    objectPath: (reference) => {
      if (reference.kind === 'Namespace') return `namespaces/${reference.name}/metrics`
      const resource = resourceOf(reference, informers)
      if (resource === undefined) throw new MetricError(`no matches for kind "${reference.kind}"`)
      const plural = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
      const place = resource.namespaced ? `namespaces/${namespace}/` : ''
      return `${place}${plural}/${reference.name}`
    },
  }
}

async function read(spec: MetricSpec, workload: Workload): Promise<Reading> {
  try {
    return { spec, evaluation: await evaluateMetric(spec, workload) }
  } catch (error) {
    return { spec, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function tellOfFailure({ events }: ControllerContext, { autoscaler }: Draft, reading: Reading): void {
  if (!('error' in reading)) return
  const { failure } = decideWish([reading], 0)
  if (failure !== undefined) events.record(autoscaler, 'Warning', failure.reason, failure.message)
}

/** Whether the new size is written. */
async function rescale(
  { client, clock, events }: ControllerContext,
  draft: Draft,
  { path, target, memory, decision }: Aim & { readonly path: string; readonly decision: Decision },
): Promise<boolean> {
  const { replicas, reason } = decision
  try {
    await writeScale(client, path, target, replicas)
  } catch (error) {
    const message = messageOf(error)
    events.record(
      draft.autoscaler,
      'Warning',
      'FailedRescale',
      `New size: ${replicas}; reason: ${reason}; error: ${message}`,
    )
    const text = `the HPA controller was unable to update the target scale: ${message}`
    draft.set('AbleToScale', 'False', 'FailedUpdateScale', text)
    draft.desiredReplicas = target.spec.replicas ?? 0
    return false
  }
  draft.set(
    'AbleToScale',
    'True',
    'SucceededRescale',
    `the HPA controller was able to update the target scale to ${replicas}`,
  )
  events.record(draft.autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`)
  memory.changed(replicas - (target.spec.replicas ?? 0), clock.now())
  draft.lastScaleTime = formatTime(clock.now())
  return true
}

async function writeStatus({ client }: ControllerContext, draft: Draft): Promise<void> {
  const { autoscaler, conditions, currentReplicas, desiredReplicas, lastScaleTime, currentMetrics } = draft
  const { status: old } = autoscaler
  const status = {
    ...(autoscaler.metadata.generation !== undefined && { observedGeneration: autoscaler.metadata.generation }),
    ...(lastScaleTime !== undefined && { lastScaleTime }),
    ...(currentReplicas !== undefined && { currentReplicas }),
    desiredReplicas,
    ...(currentMetrics !== undefined && { currentMetrics }),
    conditions,
  }
  if (isDeepStrictEqual(old, status)) return
  await client.resource(horizontalPodAutoscalers, autoscaler.metadata.namespace).updateStatus({ ...autoscaler, status })
}
