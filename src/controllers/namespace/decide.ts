import { setCondition } from '#api/meta/conditions.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { NamespaceCondition } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'

/** What is left of one resource in a namespace that is going away. */
export interface Remaining {
  readonly resource: Pick<Resource, 'group' | 'plural'>
  readonly objects: readonly KubernetesObject[]
}

export interface DeletionProgress {
  readonly remaining: readonly Remaining[]
  /** Messages of deletions that failed. */
  readonly failures: readonly string[]
}

type News = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>

/** The conditions by which users see why a namespace does not go away, in the words they know. */
export function deletionConditions(
  old: readonly NamespaceCondition[] | undefined,
  progress: DeletionProgress,
  nowMs: number,
): readonly NamespaceCondition[] {
  const now = formatTime(nowMs)
  let conditions = old ?? []
  for (const news of newsOf(progress)) conditions = setCondition(conditions, news as NamespaceCondition, now)
  return conditions
}

function newsOf(progress: DeletionProgress): readonly News[] {
  return [
    news('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'),
    news(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    contentFailure(progress),
    contentRemaining(progress),
    finalizersRemaining(progress),
  ]
}

function news(type: string, isTrue: boolean, reason: string, message: string): News {
  return { type, status: isTrue ? 'True' : 'False', reason, message } as News
}

function contentFailure({ failures }: DeletionProgress): News {
  const type = 'NamespaceDeletionContentFailure'
  if (failures.length === 0) {
    return news(type, false, 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization')
  }
  const list = failures.toSorted().join(', ')
  return news(
    type,
    true,
    'ContentDeletionFailed',
    `Failed to delete all resource types, ${failures.length} remaining: ${list}`,
  )
}

function contentRemaining({ remaining }: DeletionProgress): News {
  const type = 'NamespaceContentRemaining'
  if (remaining.length === 0) return news(type, false, 'ContentRemoved', 'All content successfully removed')
  const list = remaining.map(
    ({ resource, objects }) => `${resource.plural}.${resource.group} has ${objects.length} resource instances`,
  )
  return news(type, true, 'SomeResourcesRemain', `Some resources are remaining: ${list.toSorted().join(', ')}`)
}

function finalizersRemaining({ remaining }: DeletionProgress): News {
  const type = 'NamespaceFinalizersRemaining'
  const counts = new Map<string, number>()
  for (const finalizer of remaining.flatMap(({ objects }) =>
    objects.flatMap((object) => object.metadata.finalizers ?? []),
  )) {
    counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1)
  }
  if (counts.size === 0)
    return news(type, false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished')
  const list = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).toSorted()
  return news(
    type,
    true,
    'SomeFinalizersRemain',
    `Some content in the namespace has finalizers remaining: ${list.join(', ')}`,
  )
}
