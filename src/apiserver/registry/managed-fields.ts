import type { Draft } from '#api/kind.ts'
import { trackUpdate, type FieldWriter } from '#api/meta/server-side-apply/apply.ts'
import { ignoredFields } from '#api/meta/server-side-apply/baseline.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import type { ManagedFieldsEntry } from '#api/types/meta.v1.ts'
import { formatTime } from '#lib/clock.ts'
import type { ResourceContext } from '../request-context.ts'
import type { WriteOptions } from './write-options.ts'

/** Who is writing, as `managedFields` records it. */
export function fieldWriter({ resource, info, server }: ResourceContext, options: WriteOptions): FieldWriter {
  return {
    manager: options.fieldManager,
    apiVersion: apiVersionOf(resource),
    subresource: info.subresource,
    now: formatTime(server.clock.now()),
    ignored: ignoredFields(resource.node, info.subresource, resource.subresources.has('status')),
  }
}

/** Notes in the draft which fields its writer owns now. `old` is absent for a create. */
export function recordManager(
  context: ResourceContext,
  options: WriteOptions,
  draft: Draft<KubernetesObject>,
  old?: KubernetesObject,
): void {
  const writer = fieldWriter(context, options)
  const object = draft as KubernetesObject
  setManagedFields(draft, trackUpdate({ ...writer, node: context.resource.node, live: old, object }))
}

export function setManagedFields({ metadata }: Draft<KubernetesObject>, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length === 0) delete metadata.managedFields
  else metadata.managedFields = entries as Draft<ManagedFieldsEntry>[]
}
