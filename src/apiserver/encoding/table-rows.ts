import { ageOf } from '#api/meta/duration.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ColumnRow } from '#api/schema/shapes.ts'
import type { Scale } from '#api/types/autoscaling.v1.ts'
import type { ServedResource } from '../registry/served-resource.ts'

/** What a Table shows of objects of one kind. */
export interface TableRows {
  readonly columns: readonly ColumnRow[]
  /** Absent: each column shows what its name promises. */
  readonly cells?: ((object: never, nowMs: number) => readonly unknown[]) | undefined
}

/** The rows of a resource's objects, or of what one of its subresources answers with instead. */
export function tableRows(resource: ServedResource | undefined, kind: string | undefined): TableRows {
  if (kind === 'Scale') return scaleRows
  if (resource === undefined || (kind !== undefined && kind !== resource.kind)) return genericRows
  return {
    columns: resource.columns.length === 0 ? genericRows.columns : resource.columns,
    cells: resource.rules.cells,
  }
}

const genericRows: TableRows = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', priority: 0 },
    { name: 'Created At', type: 'date', priority: 0 },
  ],
}

const scaleRows: TableRows = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', priority: 0 },
    { name: 'Desired', type: 'integer', priority: 0 },
    { name: 'Available', type: 'integer', priority: 0 },
    { name: 'Age', type: 'string', priority: 0 },
  ],
  cells: (object: KubernetesObject, nowMs) => {
    const { metadata, spec, status } = object as unknown as Scale
    return [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, ageOf(metadata.creationTimestamp, nowMs)]
  },
}
