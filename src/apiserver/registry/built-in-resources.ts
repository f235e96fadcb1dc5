import type { Kind } from '#api/kind.ts'

/** The rules of a built-in kind. */
export function builtInRules(group: string, version: string, kind: string): Kind {
  return { group, version, kind, hasGeneration: true }
}
