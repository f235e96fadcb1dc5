import { stableHash } from '#api/meta/hash.ts'
import { controllerReference } from '#api/meta/owner.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { isDeepStrictEqual } from 'node:util'
import type { ControllerRevision } from '#api/types/apps.v1.ts'
import type { PodTemplateSpec } from '#api/types/core.v1.ts'
import { controllerRevisions } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import { applyClaims } from './apply-claims.ts'
import { candidatesFor, decideClaims, type OwnerKind } from './owned-objects.ts'

/** Label by which pods and revisions of DaemonSets and StatefulSets find one another. */
export const revisionHashLabel = 'controller-revision-hash'

/** A workload whose templates are kept as ControllerRevisions, so that `kubectl rollout undo` finds them. */
export interface RevisedOwner<T extends KubernetesObject> {
  readonly kind: OwnerKind<T>
  readonly owner: T
  readonly template: PodTemplateSpec
  readonly collisionCount: number | undefined
}

export interface History {
  readonly current: ControllerRevision
  /** Oldest first, the current one included. */
  readonly all: readonly ControllerRevision[]
}

/** A hash of two different templates is the same: the owner's `collisionCount` must grow before the next try. */
export class HashCollision extends Error {
  constructor(name: string) {
    super(`The name ${name} belongs to a revision with other contents`)
    this.name = 'HashCollision'
  }
}

/** Finds or makes the revision of the present template, and gives it the highest number. Throws `HashCollision`. */
export async function syncHistory<T extends KubernetesObject>(
  context: ControllerContext,
  revised: RevisedOwner<T>,
): Promise<History> {
  const { kind, owner, template } = revised
  const candidates = candidatesFor(context.informers.of(controllerRevisions), owner)
  const claims = decideClaims(owner, kind.matcherOf(owner), candidates)
  const resources = { owner: kind.resource as Resource<T>, dependent: controllerRevisions }
  const known = (await applyClaims(context, resources, owner, claims)).toSorted((a, b) => a.revision - b.revision)
  const data = revisionData(template)
  const latest = known.at(-1)
  const equal = known.findLast((revision) => isDeepStrictEqual(revision.data, data))
  if (equal !== undefined && equal === latest) return { current: equal, all: known }
  const number = (latest?.revision ?? 0) + 1
  const current =
    equal === undefined ? await create(context, revised, data, number) : await raise(context, equal, number)
  return { current, all: [...known.filter((revision) => revision !== equal), current] }
}

/** What a revision stores: a patch that puts the template back whole. */
function revisionData(template: PodTemplateSpec): Readonly<Record<string, unknown>> {
  return { spec: { template: { ...template, $patch: 'replace' } } }
}

async function create<T extends KubernetesObject>(
  { client }: ControllerContext,
  { owner, template, collisionCount }: RevisedOwner<T>,
  data: Readonly<Record<string, unknown>>,
  revision: number,
): Promise<ControllerRevision> {
  const { namespace } = owner.metadata
  const hash = stableHash(data, collisionCount)
  const name = `${owner.metadata.name}-${hash}`
  const labels = { ...template.metadata?.labels, [revisionHashLabel]: hash }
  const { annotations } = owner.metadata
  const ownerReferences = [controllerReference(owner)]
  const metadata = { name, namespace, labels, ownerReferences, ...(annotations && { annotations }) }
  const collection = client.resource(controllerRevisions, namespace)
  try {
    return await collection.create({ metadata, data, revision })
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) throw error
    const taken = await collection.get(name)
    if (isDeepStrictEqual(taken.data, data)) return taken
    throw new HashCollision(name)
  }
}

function raise(
  { client }: ControllerContext,
  known: ControllerRevision,
  revision: number,
): Promise<ControllerRevision> {
  const { name, namespace, uid } = known.metadata
  const patch = { metadata: { uid }, revision }
  return client.resource(controllerRevisions, namespace).patch(name, { type: 'merge', patch })
}

/** Deletes revisions beyond the limit that no pod uses, oldest first. */
export async function trimHistory(
  { client }: ControllerContext,
  { current, all }: History,
  options: { readonly limit: number; readonly isInUse: (revision: ControllerRevision) => boolean },
): Promise<void> {
  const unused = all.filter((revision) => revision !== current && !options.isInUse(revision))
  for (const { metadata } of unused.slice(0, Math.max(0, unused.length - options.limit))) {
    await client
      .resource(controllerRevisions, metadata.namespace)
      .delete(metadata.name)
      .catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound')) throw error
      })
  }
}

export function hashOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.labels?.[revisionHashLabel]
}
