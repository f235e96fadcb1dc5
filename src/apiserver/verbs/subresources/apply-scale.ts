import type { Draft } from '#api/kind.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { applyConfiguration } from '#api/meta/server-side-apply/apply.ts'
import { emptySet } from '#api/meta/server-side-apply/field-set.ts'
import { decodeValue } from '#api/schema/decode.ts'
import type { Scale } from '#api/types/autoscaling.v1.ts'
import type { ManagedFieldsEntry } from '#api/types/meta.v1.ts'
import { schemaOf } from '../../registry/decode-body.ts'
import { fieldWriter, setManagers } from '../../registry/field-managers.ts'
import type { WriteOptions } from '../../registry/write-options.ts'
import type { ResourceContext } from '../../request-context.ts'
import type { Config } from '../apply.ts'
import { valueAt } from '#api/apiextensions/scale-paths.ts'

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

export interface ScaleApply {
  readonly context: ResourceContext
  readonly options: WriteOptions
  /** An applied Scale. */
  readonly config: Config
}

/**
 * Applies a Scale to the object behind it. Whose replicas they are is noted in the object; managers meet there as if
 * they all had written Scales. Throws the Conflict of an apply that is not forced.
 */
export function appliedScale(apply: ScaleApply, current: KubernetesObject, scale: Scale): Draft<KubernetesObject> {
  const { context, options } = apply
  const replicas = mergedReplicas(apply, current, scale)
  const { resource } = context
  const { name } = current.metadata
  const wish = replicasPath(context).reduceRight<unknown>((value, field) => ({ [field]: value }), replicas) as object
  const config = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name }, ...wish }
  const writer = { ...fieldWriter(context, options), ignored: emptySet }
  const result = applyConfiguration({ ...writer, node: resource.node, live: current, config, force: true })
  const { object } = decodeValue<Draft<KubernetesObject>>(resource.node, result.object)
  setManagers(object, result.managedFields)
  return object
}

function mergedReplicas({ context, options, config }: ScaleApply, current: KubernetesObject, scale: Scale): number {
  const path = replicasPath(context)
  const managedFields = (current.metadata.managedFields ?? [])
    .filter(({ fieldsV1 }) => ownsAt(fieldsV1, path))
    .map(asScaleEntry)
  const live = { ...scale, metadata: { ...scale.metadata, managedFields } }
  const writer = { ...fieldWriter(context, options), apiVersion: apiVersionOf(scaleKind), ignored: emptySet }
  const force = options.force === true
  const { object } = applyConfiguration({ ...writer, node: schemaOf(scaleKind), live, config, force })
  return (object as { spec?: { replicas?: number } }).spec?.replicas ?? 0
}

/** Where the object keeps the number that a Scale calls `spec.replicas`. */
function replicasPath({ resource }: ResourceContext): readonly string[] {
  return resource.custom?.scale?.specReplicas ?? ['spec', 'replicas']
}

function ownsAt(fields: unknown, path: readonly string[]): boolean {
  return (
    valueAt(
      fields,
      path.map((name) => `f:${name}`),
    ) !== undefined
  )
}

function asScaleEntry(entry: ManagedFieldsEntry): ManagedFieldsEntry {
  return { ...entry, apiVersion: apiVersionOf(scaleKind), fieldsV1: { 'f:spec': { 'f:replicas': {} } } }
}
