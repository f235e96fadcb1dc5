import { compileJsonPath, plainPath } from '#lib/jsonpath.ts'
import { defineKind, type Kind } from '../kind.ts'
import { humanDuration } from '../meta/duration.ts'
import type { KubernetesObject } from '../meta/resource.ts'
import type { FieldError } from '../meta/status.ts'
import type { ColumnRow } from '../schema/shapes.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../types/apiextensions.v1.ts'
import { objectRules } from './rules/object-rules.ts'
import { scaleErrors } from './scale-paths.ts'
import { validateEmbedded } from './structural/embedded.ts'
import { validateListTypes } from './structural/list-types.ts'
import type { Schema } from './structural/schema.ts'
import { validateValue } from './structural/validate-value.ts'

/** What one version of a CRD says of its objects: the same value that a built-in kind's file exports. */
export function customResourceKind(
  { spec }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): Kind<KubernetesObject> {
  const schema = version.schema?.openAPIV3Schema
  const check = objectCheck(schema, version)
  const fields = version.selectableFields ?? []
  return defineKind<KubernetesObject>({
    group: spec.group,
    version: version.name,
    kind: spec.names.kind,
    hasGeneration: true,
    requiresResourceVersion: true,
    validate: (object) => check(object, undefined),
    validateUpdate: check,
    validatesUpdateAlone: true,
    prepareForStatusUpdate: keepAllButStatus,
    validateStatusUpdate: check,
    warnings: finalizerWarnings,
    cells: cellsOf(version),
    ...(fields.length > 0 && { selectableFields: selectableValues(fields.map(({ jsonPath }) => jsonPath)) }),
  })
}

/** `/status` changes the status alone: of the metadata only what the server itself keeps. */
const keepAllButStatus: NonNullable<Kind['prepareForStatusUpdate']> = (draft, old) => {
  const fields = draft as unknown as Record<string, unknown>
  const { managedFields, resourceVersion } = draft.metadata
  const { status } = fields
  for (const key of Object.keys(fields)) delete fields[key]
  Object.assign(fields, structuredClone(old))
  if (status === undefined) delete fields['status']
  else fields['status'] = status
  if (managedFields === undefined) delete draft.metadata.managedFields
  else draft.metadata.managedFields = managedFields
  draft.metadata.resourceVersion = resourceVersion
}

type ObjectCheck = (object: KubernetesObject, old: KubernetesObject | undefined) => FieldError[]

function objectCheck(schema: Schema | undefined, version: CustomResourceDefinitionVersion): ObjectCheck {
  if (schema === undefined) return () => []
  const rules = objectRules(schema)
  return (object, old) => {
    const errors = [
      ...validateValue(schema, object, '', old),
      ...scaleErrors(version.subresources?.scale, object),
      ...validateEmbedded(schema, object, ''),
      ...validateListTypes(schema, object, ''),
    ]
    if (old !== undefined && errors.length > 0) {
      const before = new Set(validateListTypes(schema, old, '').map(({ field, message }) => field + message))
      const kept = errors.filter(
        ({ field, message, type }) => type !== 'FieldValueDuplicate' || !before.has(field + message),
      )
      return [...kept, ...rules(object, old, kept)]
    }
    return [...errors, ...rules(object, old, errors)]
  }
}

function finalizerWarnings({ metadata }: KubernetesObject, old?: KubernetesObject): readonly string[] {
  const known = new Set(['kubernetes', 'orphan', 'foregroundDeletion', ...(old?.metadata.finalizers ?? [])])
  return (metadata.finalizers ?? [])
    .filter((finalizer) => !finalizer.includes('/') && !known.has(finalizer))
    .map(
      (finalizer) =>
        `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    )
}

function selectableValues(paths: readonly string[]): (object: KubernetesObject) => Record<string, string> {
  const fields = paths.map((path) => ({ name: path.slice(1), steps: plainPath(path) ?? [] }))
  return (object) =>
    Object.fromEntries(
      fields.map(({ name, steps }) => {
        const value = steps.reduce<unknown>(
          (holder, step) =>
            typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[step] : undefined,
          object,
        )
        return [name, typeof value === 'object' ? '' : textOf(value)]
      }),
    )
}

/** The columns of `kubectl get`: the name, then those that the CRD asks for, by default the age. */
export function customColumns({
  additionalPrinterColumns: more = [],
}: CustomResourceDefinitionVersion): readonly ColumnRow[] {
  const columns: ColumnRow[] = [{ name: 'Name', type: 'string', format: 'name', priority: 0 }]
  if (more.length === 0) return [...columns, { name: 'Age', type: 'date', priority: 0 }]
  for (const { name, type, format, priority = 0, description } of more) {
    columns.push({ name, type, priority, ...(format && { format }), ...(description && { description }) })
  }
  return columns
}

function cellsOf({
  additionalPrinterColumns: more = [],
}: CustomResourceDefinitionVersion): (object: KubernetesObject, nowMs: number) => readonly unknown[] {
  const wanted = more.length === 0 ? [{ type: 'date', jsonPath: '.metadata.creationTimestamp' }] : more
  const columns = wanted.map(({ type, jsonPath }) => ({ type, find: compileJsonPath(jsonPath) }))
  return (object, nowMs) => [object.metadata.name, ...columns.map(({ type, find }) => cell(type, find(object), nowMs))]
}

/** A value of another type than the column's shows as nothing. */
function cell(type: string, found: readonly unknown[], nowMs: number): unknown {
  const [value] = found
  if (value === undefined || value === null) return null
  if (type === 'string') return found.map(textOf).join(' ')
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (type !== 'date' || typeof value !== 'string') return null
  const timeMs = Date.parse(value)
  return Number.isNaN(timeMs) ? '<invalid>' : humanDuration(nowMs - timeMs)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
