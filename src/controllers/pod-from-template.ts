import { controllerReference } from '#api/meta/owner.ts'
import type { KubernetesObject, New } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, PodTemplateSpec } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'

/** The pod that a workload's template describes, controlled by the workload. */
export function podFromTemplate(owner: KubernetesObject, template: PodTemplateSpec): New<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec ?? { containers: [] },
  }
}

/** Creates a pod for its owner and tells of it as `SuccessfulCreate` or `FailedCreate`. */
export async function createPod(context: ControllerContext, owner: KubernetesObject, pod: New<Pod>): Promise<Pod> {
  const { client, events } = context
  try {
    const created = await client.resource(pods, owner.metadata.namespace).create(pod)
    events.record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
    return created
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      events.record(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
    }
    throw error
  }
}

/** Deletes a pod for its owner and tells of it. A pod that is gone already counts as deleted. */
export async function deletePod(context: ControllerContext, owner: KubernetesObject, pod: Pod): Promise<void> {
  const { client, events } = context
  const { name, namespace, uid } = pod.metadata
  try {
    await client.resource(pods, namespace).delete(name, { preconditions: { uid } })
    events.record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
  } catch (error) {
    if (isStatusError(error, 'NotFound', 'Conflict')) return
    events.record(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
    throw error
  }
}

/** Whether a creation was refused because its namespace is going away: no fault, and nothing to try again. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isStatusError(error, 'Forbidden')) return false
  return error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
