import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ServedResource } from './served-resource.ts'

/** Fills in what the schema and the kind's rules give for absent fields. */
export function applyDefaults({ rules }: ServedResource, draft: Draft<KubernetesObject>): void {
  rules.setDefaults?.(draft)
}
