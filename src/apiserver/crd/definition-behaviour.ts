import { setCondition } from '#api/meta/conditions.ts'
import type { Draft } from '#api/kind.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import type { ResourceBehaviour } from '../registry/resource-behaviour.ts'
import { cleanupFinalizer } from './definition-controller.ts'

/** A definition goes only after its objects have gone. */
export const definitionBehaviour: ResourceBehaviour = {
  onDeletion(draft) {
    const definition = draft as unknown as Draft<CustomResourceDefinition>
    const { metadata } = definition
    const finalizers = metadata.finalizers ?? []
    if (!finalizers.includes(cleanupFinalizer)) metadata.finalizers = [...finalizers, cleanupFinalizer]
    const status = (definition.status ??= {})
    const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon'
    const condition = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message }
    status.conditions = [...setCondition(status.conditions ?? [], condition, metadata.deletionTimestamp ?? '')]
  },
}
