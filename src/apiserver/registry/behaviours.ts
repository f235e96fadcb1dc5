import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ResourceContext } from '../request-context.ts'
import { namespaceBehaviour } from './namespace-behaviour.ts'
import type { ServedResource } from './served-resource.ts'

/** What storing one resource takes beyond its kind's rules: it may look at the server's other objects. */
export interface ResourceBehaviour {
  /** After mutating admission, before validation. Throws to refuse. */
  readonly beforeCreate?: (context: ResourceContext, draft: Draft<KubernetesObject>) => void
  readonly beforeUpdate?: (context: ResourceContext, draft: Draft<KubernetesObject>, old: KubernetesObject) => void
}

const behaviours: Readonly<Record<string, ResourceBehaviour>> = {
  'v1/namespaces': namespaceBehaviour,
}

const ordinary: ResourceBehaviour = {}

export function behaviourOf({ group, version, plural }: ServedResource): ResourceBehaviour {
  return behaviours[group === '' ? `${version}/${plural}` : `${group}/${version}/${plural}`] ?? ordinary
}
