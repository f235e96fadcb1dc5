import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ResourceContext } from '../request-context.ts'

/** What storing one resource takes beyond its kind's rules: it may look at the server's other objects. */
export interface ResourceBehaviour {
  /** After mutating admission, before validation. Throws to refuse. */
  readonly beforeCreate?: (context: ResourceContext, draft: Draft<KubernetesObject>) => void
  readonly beforeUpdate?: (context: ResourceContext, draft: Draft<KubernetesObject>, old: KubernetesObject) => void
}
