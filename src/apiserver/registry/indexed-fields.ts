import type { Pod } from '#api/types/core.v1.ts'
import { nameOfObject, type IndexedField } from '../cache/field-index.ts'
import type { Pin } from '../cache/watcher-set.ts'
import type { ServedResource } from './served-resource.ts'

/** The node of a pod: every kubelet follows its own. */
export const nodeOfPod: IndexedField = {
  name: 'spec.nodeName',
  valueOf: (pod) => (pod as unknown as Pod).spec?.nodeName ?? '',
}

/**
 * The one value that a selection asks for, where it is as plain as `spec.nodeName=n1`; undefined for everything else,
 * which then looks at all objects.
 */
export function pinOf(
  { group, plural }: ServedResource,
  { fieldSelector, name }: { readonly fieldSelector: string; readonly name: string },
): Pin | undefined {
  if (name !== '') return { field: nameOfObject, value: name }
  const [, wanted, value = ''] = plainEquality.exec(fieldSelector) ?? []
  if (wanted === nameOfObject.name) return { field: nameOfObject, value }
  if (wanted === nodeOfPod.name && group === '' && plural === 'pods') return { field: nodeOfPod, value }
  return undefined
}

const plainEquality = /^([A-Za-z.]+)==?([-a-z0-9.]+)$/
