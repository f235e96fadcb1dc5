import type { Draft } from '#api/kind.ts'
import type { Namespace } from '#api/types/core.v1.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'

/** A namespace is born Active and held by the `kubernetes` finalizer until the namespace controller has emptied it. */
export const namespaceBehaviour: ResourceBehaviour = {
  beforeCreate(_context, draft) {
    const namespace = draft as unknown as Draft<Namespace>
    const finalizers = namespace.spec?.finalizers ?? []
    if (!finalizers.includes('kubernetes'))
      namespace.spec = { ...namespace.spec, finalizers: [...finalizers, 'kubernetes'] }
    namespace.status = { phase: 'Active' }
    const { metadata } = namespace
    metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  },
  onDeletion(draft) {
    const namespace = draft as unknown as Draft<Namespace>
    namespace.status = { ...namespace.status, phase: 'Terminating' }
    delete namespace.metadata.deletionGracePeriodSeconds
  },
  isHeld: (object) => ((object as Namespace).spec?.finalizers ?? []).length > 0,
  beforeUpdate(_context, draft) {
    const { metadata } = draft
    metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  },
}
