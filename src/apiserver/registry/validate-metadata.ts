import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { FieldError } from '#api/meta/status.ts'
import type { ServedResource } from './served-resource.ts'

/** Errors in the metadata of an object about to be stored. */
export function validateMetadata(_resource: ServedResource, _draft: Draft<KubernetesObject>): FieldError[] {
  return []
}

/** Errors in the change of the metadata. */
export function validateMetadataUpdate(_draft: Draft<KubernetesObject>, _old: KubernetesObject): FieldError[] {
  return []
}
