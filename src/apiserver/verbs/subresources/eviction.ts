import type { ApiResponse } from '#api/meta/exchange.ts'
import { matcherOf } from '#api/meta/labels.ts'
import { StatusError, badRequest } from '#api/meta/status.ts'
import type { Draft } from '#api/kind.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { Eviction, PodDisruptionBudget } from '#api/types/policy.v1.ts'
import { podDisruptionBudgets } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { objectResponse } from '../../encoding/responses.ts'
import { decodeObject } from '../../registry/decode-body.ts'
import { deepCopy } from '../../registry/deep-copy.ts'
import { deleteByName } from '../../registry/delete-object.ts'
import { requireObject } from '../../registry/read.ts'
import { updateObject, type UpdatePart } from '../../registry/update-object.ts'
import { readWriteOptions, type WriteOptions } from '../../registry/write-options.ts'
import type { ResourceContext } from '../../request-context.ts'

const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' } as const

/** POST of `pods/NAME/eviction`: deletes the pod if its disruption budget allows it (KEP-85). */
export async function evict(context: ResourceContext): Promise<ApiResponse> {
  const { info, server, request } = context
  const options = readWriteOptions(context, 'CreateOptions')
  const eviction = (await decodeObject(context, evictionKind, options.fieldValidation)) as unknown as Draft<Eviction>
  const given = eviction.metadata?.name ?? ''
  if (given !== '' && given !== info.name) throw badRequest('name in URL does not match name in Eviction object')
  await server.feed.current(request.signal)
  const pod = requireObject(context) as Pod
  const dryRun = options.dryRun || (eviction.deleteOptions?.dryRun ?? []).length > 0
  if (!canIgnoreBudget(pod)) await takeFromBudget(context, pod, { ...options, dryRun })
  const { deleteOptions } = eviction
  await deleteByName(context, info.name, {
    dryRun,
    gracePeriodSeconds: deleteOptions?.gracePeriodSeconds,
    propagation: undefined,
    uid: deleteOptions?.preconditions?.uid ?? pod.metadata.uid,
    resourceVersion: deleteOptions?.preconditions?.resourceVersion,
  })
  return objectResponse({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201)
}

/** Pods that serve nobody: done, not yet started, or already on their way out. */
function canIgnoreBudget({ metadata, status }: Pod): boolean {
  const phase = status?.phase
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || metadata.deletionTimestamp !== undefined
}

async function takeFromBudget(context: ResourceContext, pod: Pod, options: WriteOptions): Promise<void> {
  const { server, info } = context
  const budgets = server.reader.list(podDisruptionBudgets, info.namespace).filter((budget) => selects(budget, pod))
  const [budget, second] = budgets
  if (second !== undefined) {
    throw new StatusError(
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  if (budget === undefined || toleratesUnhealthy(budget, pod)) return
  const resource = server.resources.find('policy', 'v1', 'poddisruptionbudgets')
  if (resource === undefined) return
  const target = {
    ...context,
    resource,
    server: { ...server, admission: [] },
    info: { ...info, ...budgetPath, name: budget.metadata.name },
  }
  const change = (current: unknown): Draft<PodDisruptionBudget> =>
    disrupted(context, current as PodDisruptionBudget, pod)
  await updateObject({ context: target, options, managers: 'given', part: budgetPart, change })
}

const budgetPath = { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets', subresource: 'status' } as const
const budgetPart: UpdatePart = { keepsGeneration: true, prepare: () => undefined, validate: () => [] }

function selects({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return spec?.selector !== undefined && matcherOf(spec.selector).matches(pod.metadata.labels)
}

/** An unready pod may always go if the budget says so, or if the budget's own pods are healthy enough without it. */
function toleratesUnhealthy({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  const isReady = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')
  if (isReady === true) return false
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0
}

function disrupted({ server }: ResourceContext, budget: PodDisruptionBudget, pod: Pod): Draft<PodDisruptionBudget> {
  const { status, metadata } = budget
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refused(`The disruption budget ${metadata.name} is still being processed by the server.`, metadata.name, 10)
  }
  const allowed = status?.disruptionsAllowed ?? 0
  if (allowed <= 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {}
    const why = `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
    throw refused(why, metadata.name, 0)
  }
  const draft = deepCopy(budget)
  const disruptedPods = { ...draft.status?.disruptedPods, [pod.metadata.name]: formatTime(server.clock.now()) }
  draft.status = {
    ...draft.status,
    disruptionsAllowed: allowed - 1,
    disruptedPods,
  } as Draft<PodDisruptionBudget>['status']
  return draft
}

function refused(why: string, _budget: string, retryAfterSeconds: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message: why }]
  const message = "Cannot evict pod as it would violate the pod's disruption budget."
  return new StatusError('TooManyRequests', message, {
    details: { causes, ...(retryAfterSeconds > 0 && { retryAfterSeconds }) },
  })
}
