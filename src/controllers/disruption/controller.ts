import { isDeepStrictEqual } from 'node:util'
import { setCondition } from '#api/meta/conditions.ts'
import { matcherOf, type Labels } from '#api/meta/labels.ts'
import { keyOf, splitKey, type KubernetesObject } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, PodTemplateSpec } from '#api/types/core.v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/types/policy.v1.ts'
import {
  customResourceDefinitions,
  deployments,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { withoutZeros } from '../counts.ts'
import { messageOf } from '../pod-from-template.ts'
import {
  decideBudgetStatus,
  decideDisruptions,
  decideExpectation,
  failedBudgetStatus,
  needsScale,
  staleDisruptionLeftMs,
} from './decide.ts'
import { scaleOfPods } from './scale-of-pods.ts'

/** Reckons how many pods of each budget may be disrupted now; evictions take from that (KEP-85). */
export const disruptionController = defineController({
  name: 'disruption-controller',
  eventSource: 'controllermanager',
  watches: [
    watchOf(podDisruptionBudgets),
    watchOf(pods, keysOfPod),
    watchOf(deployments, budgetsOfScaled),
    watchOf(replicaSets, budgetsOfScaled),
    watchOf(replicationControllers, budgetsOfScaled),
    watchOf(statefulSets, budgetsOfScaled),
    watchOf(customResourceDefinitions, () => []),
  ],
  writes: [
    { resource: podDisruptionBudgets, subresource: 'status', verbs: ['update'] },
    { resource: pods, subresource: 'status', verbs: ['patch'] },
    { resource: { group: '*', plural: '*' }, subresource: 'scale', verbs: ['get'] },
  ],
  reconcile: (key, context) => (key.startsWith('pod|') ? clearStale(key.slice(4), context) : reconcile(key, context)),
})

/** Budgets that select the pod now or did before, and `pod|namespace/name` for one marked as being disrupted. */
function keysOfPod(pod: Pod, context: ControllerContext, previous?: Pod): readonly string[] {
  const states = previous === undefined ? [pod] : [pod, previous]
  const keys = budgetsOf(
    context,
    pod.metadata.namespace,
    states.map(({ metadata }) => metadata.labels),
  )
  return staleDisruptionLeftMs(pod, 0) === undefined ? keys : [...keys, `pod|${keyOf(pod)}`]
}

type Scaled = KubernetesObject & {
  readonly spec?:
    | { readonly replicas?: number | undefined; readonly template?: PodTemplateSpec | undefined }
    | undefined
}

function budgetsOfScaled(object: Scaled, context: ControllerContext, previous?: Scaled): readonly string[] {
  if (previous !== undefined && previous.spec?.replicas === object.spec?.replicas) return []
  return budgetsOf(context, object.metadata.namespace, [object.spec?.template?.metadata?.labels])
}

function budgetsOf(
  { informers }: ControllerContext,
  namespace: string | undefined,
  states: readonly (Labels | undefined)[],
): readonly string[] {
  return informers
    .of(podDisruptionBudgets)
    .list(namespace)
    .filter(({ spec }) => states.some((labels) => matcherOf(spec?.selector).matches(labels)))
    .map(keyOf)
}

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { informers, events, clock } = context
  const { namespace, name } = splitKey(key)
  const budget = informers.of(podDisruptionBudgets).get(name, namespace)
  if (budget === undefined) return
  const matcher = matcherOf(budget.spec?.selector)
  const selected = informers
    .of(pods)
    .list(namespace)
    .filter(({ metadata }) => matcher.matches(metadata.labels))
  if (selected.length === 0) events.record(budget, 'Normal', 'NoPods', 'No matching pods found')
  const nowMs = clock.now()
  try {
    const scale = needsScale(budget) ? await replicasOf(context, budget, selected) : 0
    const expectation = decideExpectation(budget, selected.length, scale)
    const disruptions = decideDisruptions(budget, selected, nowMs)
    for (const pod of disruptions.overdue) {
      const message = `Pod was expected by PDB ${key} to be deleted but it wasn't`
      events.record(pod, 'Warning', 'NotDeleted', message)
    }
    await writeStatus(context, budget, decideBudgetStatus(budget, selected, expectation, disruptions, nowMs))
    if (disruptions.waitMs !== undefined) return { requeueAfterMs: disruptions.waitMs + 1 }
  } catch (error) {
    if (isStatusError(error, 'Conflict', 'NotFound')) throw error
    await writeStatus(context, budget, failedBudgetStatus(budget, messageOf(error), nowMs))
    throw error
  }
}

async function replicasOf(
  context: ControllerContext,
  budget: PodDisruptionBudget,
  selected: readonly Pod[],
): Promise<number> {
  const { events } = context
  try {
    const { replicas, unmanaged } = await scaleOfPods(context, selected)
    if (unmanaged.length > 0) {
      const message = `Pods selected by this PodDisruptionBudget (selector: ${JSON.stringify(budget.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`
      events.record(budget, 'Warning', 'UnmanagedPods', message)
    }
    return replicas
  } catch (error) {
    const message = `Failed to calculate the number of expected pods: ${messageOf(error)}`
    events.record(budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
    throw error
  }
}

async function writeStatus(
  { client }: ControllerContext,
  budget: PodDisruptionBudget,
  status: PodDisruptionBudgetStatus,
): Promise<void> {
  if (isDeepStrictEqual(withoutZeros(budget.status ?? {}), withoutZeros(status))) return
  await client.resource(podDisruptionBudgets, budget.metadata.namespace).updateStatus({ ...budget, status })
}

/** Takes back the mark of a disruption that never came. */
async function clearStale(
  key: string,
  { informers, client, clock }: ControllerContext,
): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const pod = informers.of(pods).get(name, namespace)
  const leftMs = pod && staleDisruptionLeftMs(pod, clock.now())
  if (pod === undefined || leftMs === undefined) return
  if (leftMs > 0) return { requeueAfterMs: leftMs + 1 }
  const now = formatTime(clock.now())
  const conditions = setCondition(
    pod.status?.conditions,
    { type: 'DisruptionTarget', status: 'False', lastTransitionTime: now },
    now,
  )
  const { uid, resourceVersion } = pod.metadata
  const patch = { metadata: { uid, resourceVersion }, status: { conditions } }
  await client.resource(pods, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
}
