import type { Draft } from '#api/kind.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { trackUpdate, type FieldWriter } from '#api/meta/server-side-apply/apply.ts'
import { ignoredFields } from '#api/meta/server-side-apply/baseline.ts'
import { emptySet, setOfPaths, type FieldSet } from '#api/meta/server-side-apply/field-set.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import type { ManagedFieldsEntry } from '#api/types/meta.v1.ts'
import { formatTime } from '#lib/clock.ts'
import type { ResourceContext } from '../request-context.ts'
import type { ServedResource } from './served-resource.ts'
import type { WriteOptions } from './write-options.ts'
import { fitOtherVersions } from './other-versions.ts'

/** Who the request writes as, for `metadata.managedFields`. */
export function fieldWriter({ resource, info, server }: ResourceContext, options: WriteOptions): FieldWriter {
  return {
    manager: options.fieldManager,
    apiVersion: apiVersionOf(resource),
    subresource: info.subresource,
    now: formatTime(server.clock.now()),
    ignored: ignoredBy(resource, info.subresource),
  }
}

/** Notes in the draft which of its fields the request has written. */
export function trackManagers(
  context: ResourceContext,
  options: WriteOptions,
  draft: Draft<KubernetesObject>,
  live: KubernetesObject | undefined,
): void {
  const object = draft as KubernetesObject
  const isReadable =
    context.resource.custom === undefined || fitOtherVersions(context, [live, object], live?.metadata.managedFields)
  if (!isReadable) return setManagers(draft, [])
  setManagers(draft, trackUpdate({ ...fieldWriter(context, options), node: context.resource.node, live, object }))
}

/** The same for an answer that is never stored, whose type may be another than that of the path's resource. */
export function trackAnswer(
  context: ResourceContext,
  options: WriteOptions,
  draft: Draft<KubernetesObject>,
  node: ObjectNode,
): void {
  const writer = { ...fieldWriter(context, options), apiVersion: draft.apiVersion, ignored: emptySet }
  setManagers(draft, trackUpdate({ ...writer, node, live: undefined, object: draft as KubernetesObject }))
}

export function setManagers({ metadata }: Draft<KubernetesObject>, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length === 0) delete metadata.managedFields
  else metadata.managedFields = entries as Draft<ManagedFieldsEntry>[]
}

/** A signing request is no declaration of anybody's wish: nothing of it but metadata can be owned. */
function ownerless({ group, plural }: ServedResource, subresource: string): FieldSet | undefined {
  const isRequest = group === 'certificates.k8s.io' && plural === 'certificatesigningrequests'
  return isRequest && subresource === '' ? setOfPaths([['f:spec'], ['f:status']]) : undefined
}

/** Facts about a type, worked out once for each endpoint. */
const ignored = new WeakMap<ServedResource, Map<string, FieldSet>>()

function ignoredBy(resource: ServedResource, subresource: string): FieldSet {
  const bySubresource = ignored.get(resource) ?? new Map<string, FieldSet>()
  ignored.set(resource, bySubresource)
  const known = bySubresource.get(subresource)
  if (known !== undefined) return known
  const fields =
    ownerless(resource, subresource) ?? ignoredFields(resource.node, subresource, resource.subresources.has('status'))
  bySubresource.set(subresource, fields)
  return fields
}
