import { hasLabels, matcherOf, matcherOfLabels, matcherOfRequirements, type LabelMatcher } from '#api/meta/labels.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

/**
 * What all pods have in common that belong to the same services and the same set as this one; nothing for a pod of
 * neither.
 */
export function ownersSelector(pod: Pod, objects: ClusterObjects): LabelMatcher | undefined {
  const { namespace = '', labels } = pod.metadata
  const wanted: Record<string, string> = {}
  let isOwned = false
  for (const { spec } of objects.services.list(namespace)) {
    const selector = spec?.selector
    if (!selector || Object.keys(selector).length === 0 || !hasLabels(labels, selector)) continue
    Object.assign(wanted, selector)
    isOwned = true
  }
  const bySet = setSelector(pod, objects)
  if (!isOwned && !bySet) return undefined
  const byServices = matcherOfLabels(wanted)
  const selector = matcherOfRequirements([...byServices.requirements, ...(bySet?.requirements ?? [])])
  return selector.requirements.length === 0 ? undefined : selector
}

function setSelector({ metadata }: Pod, objects: ClusterObjects): LabelMatcher | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (!owner) return undefined
  const { name, kind } = owner
  switch (kind) {
    case 'ReplicaSet':
      return selectorIfKnown(objects.replicaSets.get(name, metadata.namespace)?.spec?.selector)
    case 'StatefulSet':
      return selectorIfKnown(objects.statefulSets.get(name, metadata.namespace)?.spec?.selector)
    case 'ReplicationController': {
      const selector = objects.replicationControllers.get(name, metadata.namespace)?.spec?.selector
      return selector && matcherOfLabels(selector)
    }
    default:
      return undefined
  }
}

function selectorIfKnown(selector: LabelSelector | undefined): LabelMatcher | undefined {
  return selector && matcherOf(selector)
}
