import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { deepCopy } from './deep-copy.ts'
import type { ServedResource } from './served-resource.ts'

/** The draft in the version its resource is stored in; the draft itself where that is the served one. */
export function toStored({ storage }: ServedResource, draft: Draft<KubernetesObject>): Draft<KubernetesObject> {
  if (storage.convert === undefined) return draft
  return deepCopy(storage.convert.toStored(draft as KubernetesObject))
}
