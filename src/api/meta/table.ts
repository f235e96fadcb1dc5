import type { ColumnRow } from '../schema/shapes.ts'
import { ageOf } from './duration.ts'
import { badRequest } from './status.ts'
import type { KubernetesObject } from './resource.ts'

/** How much of each object a row of a Table carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export type MetaApiVersion = 'meta.k8s.io/v1' | 'meta.k8s.io/v1beta1'

export interface TableRequest {
  readonly columns: readonly ColumnRow[]
  /** The kind's own cells; without them each column shows what its name promises. */
  readonly cells?: ((object: never, nowMs: number) => readonly unknown[]) | undefined
  readonly includeObject: IncludeObject
  readonly apiVersion: MetaApiVersion
  readonly nowMs: number
  /** Metadata of the list, or of the one object: only `resourceVersion`, `continue`, `remainingItemCount` are taken. */
  readonly metadata: ListMetadata
  /** False from the second event of a watch on. */
  readonly withColumns?: boolean
}

interface ListMetadata {
  readonly resourceVersion?: string | undefined
  readonly continue?: string | undefined
  readonly remainingItemCount?: number | undefined
}

/** Reads the `includeObject` query parameter. Throws 400 for what it cannot be. */
export function parseIncludeObject(text: string | null): IncludeObject {
  if (text === null || text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  const why = `includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`
  throw badRequest(`Unable to convert to Table as requested: ${why}`)
}

/** Objects as a `meta.k8s.io` Table, the form `kubectl get` asks for. */
export function buildTable(objects: readonly KubernetesObject[], request: TableRequest): object {
  const { columns, apiVersion, metadata } = request
  return {
    kind: 'Table',
    apiVersion,
    metadata: {
      ...(metadata.resourceVersion && { resourceVersion: metadata.resourceVersion }),
      ...(metadata.continue && { continue: metadata.continue }),
      ...(metadata.remainingItemCount && { remainingItemCount: metadata.remainingItemCount }),
    },
    columnDefinitions: request.withColumns === false ? null : columns.map(columnDefinition),
    rows: objects.map((object) => tableRow(object, request)),
  }
}

function columnDefinition({ name, type, format = '', priority, description = '' }: ColumnRow): object {
  return { name, type, format, description, priority }
}

function tableRow(object: KubernetesObject, request: TableRequest): object {
  const { cells, columns, nowMs, includeObject, apiVersion } = request
  const shown = cells ? cells(object as never, nowMs) : columns.map(({ name }) => namedCell(name, object, nowMs))
  if (includeObject === 'None') return { cells: shown, object: null }
  return { cells: shown, object: includeObject === 'Object' ? object : partialMetadata(object, apiVersion) }
}

function namedCell(column: string, { metadata }: KubernetesObject, nowMs: number): unknown {
  if (column === 'Name') return metadata.name
  if (column === 'Age') return ageOf(metadata.creationTimestamp, nowMs)
  return column === 'Created At' ? metadata.creationTimestamp : ''
}

/** Only the metadata of an object, as `PartialObjectMetadata`. */
export function partialMetadata(
  object: Pick<KubernetesObject, 'metadata'>,
  apiVersion: MetaApiVersion = 'meta.k8s.io/v1',
): object {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata }
}

/** A list of metadata, as `PartialObjectMetadataList`. */
export function partialMetadataList(
  objects: readonly Pick<KubernetesObject, 'metadata'>[],
  metadata: ListMetadata,
  apiVersion: MetaApiVersion = 'meta.k8s.io/v1',
): object {
  const items = objects.map((object) => partialMetadata(object, apiVersion))
  return { kind: 'PartialObjectMetadataList', apiVersion, metadata, items }
}
