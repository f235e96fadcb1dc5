import { defineKind, type Kind } from './kind.ts'
import type { KubernetesObject } from './meta/resource.ts'
import { builtInCatalog } from './schema/catalog.ts'
import { kindNode } from './schema/node.ts'
import { validateBySchema } from './schema/validate.ts'

/** Finds what kinds add to their schema facts. */
export interface KindRegistry {
  /** The kind's own declaration, or the generic one. The same value for the same names. */
  find(group: string, version: string, kind: string): Kind
}

/** Looks kinds up in a table; those without a row are served by the schema alone. */
export function kindRegistry(kinds: readonly Kind[]): KindRegistry {
  const table = new Map(kinds.map((kind) => [keyOf(kind.group, kind.version, kind.kind), kind]))
  return {
    find(group, version, kind) {
      const key = keyOf(group, version, kind)
      const known = table.get(key)
      if (known) return known
      const generic = genericKind(group, version, kind)
      if (builtInCatalog().findKind(group, version, kind)) table.set(key, generic)
      return generic
    },
  }
}

function keyOf(group: string, version: string, kind: string): string {
  return `${group}/${version}/${kind}`
}

/** A kind that has no file: validated by its schema, its generation kept if it has a `spec`. */
function genericKind(group: string, version: string, kind: string): Kind {
  const node = kindNode(group, version, kind)
  return defineKind<KubernetesObject>({
    group,
    version,
    kind,
    hasGeneration: node?.fields.has('spec') === true,
    ...(node && { validate: (object: KubernetesObject) => validateBySchema(node, object) }),
  })
}
