import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { RequestContext } from '../request-context.ts'

/** Drops owner references that repeat an earlier one, with a warning to the client. */
export function dedupeOwners(context: Pick<RequestContext, 'warnings'>, { metadata }: Draft<KubernetesObject>): void {
  const owners = metadata.ownerReferences
  if (owners === undefined || owners.length < 2) return
  const kept = owners.filter((owner, index) => owners.findIndex((other) => isSameOwner(owner, other)) === index)
  if (kept.length === owners.length) return
  const repeated = new Set(owners.filter((owner) => !kept.includes(owner)).map((owner) => owner.uid))
  context.warnings.push(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject ' +
      `such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  )
  metadata.ownerReferences = kept
}

type Owner = NonNullable<Draft<KubernetesObject>['metadata']['ownerReferences']>[number]

function isSameOwner(one: Owner, other: Owner): boolean {
  return (
    one.uid === other.uid &&
    one.kind === other.kind &&
    one.name === other.name &&
    one.apiVersion === other.apiVersion &&
    one.controller === other.controller &&
    one.blockOwnerDeletion === other.blockOwnerDeletion
  )
}
