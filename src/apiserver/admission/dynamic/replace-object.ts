import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { applyDefaults } from '../../registry/defaults.ts'
import type { ServedResource } from '../../registry/served-resource.ts'

/** Puts another state into a draft that others hold: read by its type, with its defaults. */
export function replaceObject(resource: ServedResource, draft: Draft<KubernetesObject>, changed: unknown): void {
  const { object } = decodeValue<Draft<KubernetesObject>>(resource.node, changed)
  applyDefaults(resource, object)
  const fields = draft as unknown as Record<string, unknown>
  for (const key of Object.keys(fields)) delete fields[key]
  Object.assign(fields, object)
}
