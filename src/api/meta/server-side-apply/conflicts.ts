import { StatusError } from '../status.ts'
import { pathsOf, pathText, type FieldSet } from './field-set.ts'
import type { Manager } from './managers.ts'

/** Fields of another manager that an apply would change. */
export interface Conflict {
  readonly manager: Manager
  readonly fields: FieldSet
}

function managerText({ name, operation, apiVersion, subresource }: Manager): string {
  const part = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(name)}${part}${operation === 'Apply' ? '' : ` using ${apiVersion}`}`
}

/** 409 with one cause per field, in the words `kubectl apply --server-side` shows. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const found = conflicts
    .flatMap(({ manager, fields }) =>
      pathsOf(fields).map((path) => ({ manager: managerText(manager), field: pathText(path) })),
    )
    .sort((a, b) => (a.manager < b.manager ? -1 : a.manager > b.manager ? 1 : 0))
  const causes = found.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }))
  return new StatusError('Conflict', conflictText(found), { details: { causes } })
}

function conflictText(found: readonly { readonly manager: string; readonly field: string }[]): string {
  const [first] = found
  if (found.length === 1 && first) return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.field}`
  const lines = [...Map.groupBy(found, ({ manager }) => manager)].flatMap(([manager, fields]) => [
    `conflicts with ${manager}:`,
    ...fields.map(({ field }) => `- ${field}`),
  ])
  return `Apply failed with ${found.length} conflicts: ${lines.join('\n')}`
}
