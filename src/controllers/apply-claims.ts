import { controllerReference } from '#api/meta/owner.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import type { Claims } from './owned-objects.ts'

/**
 * Adopts and releases, and answers all that the owner now controls. Before the first adoption the owner is read from
 * the server: one that was deleted, or made anew under the same name, must not adopt in its predecessor's name.
 */
export async function applyClaims<Owner extends KubernetesObject, T extends KubernetesObject>(
  { client }: ControllerContext,
  resources: { readonly owner: Resource<Owner>; readonly dependent: Resource<T> },
  owner: Owner,
  claims: Claims<T>,
): Promise<readonly T[]> {
  const { namespace = '', name, uid } = owner.metadata
  const dependents = client.resource(resources.dependent, namespace)
  for (const object of claims.release) {
    const ownerReferences = [{ $patch: 'delete', uid }]
    const patch = { metadata: { uid: object.metadata.uid, ownerReferences } }
    await dependents.patch(object.metadata.name, { type: 'strategic', patch }).catch(unlessGone)
  }
  if (claims.adopt.length === 0) return claims.owned
  const fresh = await client.resource(resources.owner, namespace).get(name)
  if (fresh.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined) return claims.owned
  const adopted: T[] = []
  for (const object of claims.adopt) {
    const patch = { metadata: { uid: object.metadata.uid, ownerReferences: [controllerReference(owner)] } }
    const written = await dependents.patch(object.metadata.name, { type: 'strategic', patch }).catch(unlessGone)
    if (written !== undefined) adopted.push(written)
  }
  return [...claims.owned, ...adopted]
}

/** Gone, or replaced by another object of the name: nothing left to adopt or release. */
function unlessGone(error: unknown): undefined {
  if (isStatusError(error, 'NotFound', 'Invalid')) return undefined
  throw error
}
