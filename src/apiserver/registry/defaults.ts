import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import type { ServedResource } from './served-resource.ts'

/** Fills in what the kind's rules and the schema give for absent fields. */
export function applyDefaults(resource: ServedResource, draft: Draft<KubernetesObject>): void {
  resource.rules.setDefaults?.(draft)
  applySchemaDefaults(resource.node, draft)
}
