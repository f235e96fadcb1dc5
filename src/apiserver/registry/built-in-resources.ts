import type { Kind } from '#api/kind.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import table from '#api/schema/resources.json' with { type: 'json' }

/** Every resource of Kubernetes v1.36. */
export const builtInRows: readonly ResourceRow[] = table.resources as unknown as readonly ResourceRow[]

/** The rules of a built-in kind. */
export function builtInRules(group: string, version: string, kind: string): Kind {
  return { group, version, kind, hasGeneration: true }
}
