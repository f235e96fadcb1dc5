import { splitKey, type KubernetesObject, type Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type Watch,
} from '#reconcile/controller.ts'

export interface Protection<T extends KubernetesObject> {
  readonly name: string
  readonly resource: Resource<T>
  /** Holds a deleted object back for as long as it is in use. */
  readonly finalizer: string
  /** Changes of these may end a use. */
  readonly users: readonly Watch[]
  /** Asked of what the informers show. */
  readonly isUsed: (object: T, context: ControllerContext) => boolean
  /** Asked of the server itself before the object is let go, where a use may be too new for the informers. */
  readonly isUsedNow?: (object: T, context: ControllerContext) => Promise<boolean>
}

/** Keeps a finalizer on every object of a resource, and takes it off one that is being deleted once nothing uses it. */
export function protectionController<T extends KubernetesObject>(protection: Protection<T>): Controller {
  const { name, resource, users } = protection
  return defineController({
    name,
    watches: [watchOf(resource), ...users],
    writes: [{ resource, verbs: ['update'] }],
    reconcile: (key, context) => reconcile(key, context, protection),
  })
}

async function reconcile<T extends KubernetesObject>(
  key: string,
  context: ControllerContext,
  { resource, finalizer, isUsed, isUsedNow }: Protection<T>,
): Promise<void> {
  const { namespace, name } = splitKey(key)
  const object = context.informers.of(resource).get(name, namespace)
  if (object === undefined) return
  const finalizers = object.metadata.finalizers ?? []
  const isHeld = finalizers.includes(finalizer)
  const isDeleted = object.metadata.deletionTimestamp !== undefined
  if (isHeld !== isDeleted) return
  if (isDeleted && (isUsed(object, context) || (await isUsedNow?.(object, context)))) return
  const wanted = isDeleted ? finalizers.filter((each) => each !== finalizer) : [...finalizers, finalizer]
  try {
    const metadata = { ...object.metadata, finalizers: wanted }
    await context.client.resource(resource, namespace).update({ ...object, metadata })
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
  }
}
