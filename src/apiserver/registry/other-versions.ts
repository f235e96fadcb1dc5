import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { decodeValue } from '#api/schema/decode.ts'
import type { ManagedFieldsEntry } from '#api/types/meta.v1.ts'
import type { ResourceContext } from '../request-context.ts'

/**
 * Whether the objects can be read by every version that managers have written a custom resource in. Its versions are not
 * converted but in name: where one of them does not know a field, nobody can tell any more who owns what, and upstream
 * forgets all owners.
 */
export function fitOtherVersions(
  { server, resource }: ResourceContext,
  objects: readonly (KubernetesObject | undefined)[],
  entries: readonly ManagedFieldsEntry[] | undefined,
): boolean {
  const own = apiVersionOf(resource)
  const versions = new Set((entries ?? []).map(({ apiVersion = own }) => apiVersion).filter((one) => one !== own))
  return [...versions].every((apiVersion) => {
    const [group = '', version = ''] = apiVersion.split('/')
    const other = group === resource.group ? server.resources.find(group, version, resource.plural) : undefined
    if (other === undefined) return true
    return objects.every((object) => object === undefined || decodeValue(other.node, object).problems.length === 0)
  })
}
