import type { Labels, LabelMatcher } from '#api/meta/labels.ts'
import { controllerOf } from '#api/meta/owner.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Informer } from '#client/informer.ts'
import type { ControllerContext, Watch } from '#reconcile/controller.ts'

/** Index value of objects that nobody controls, per namespace. */
const orphansOf = (namespace: string): string => `orphans of ${namespace}`

/** What an owner may own or adopt: the objects it controls already, and those that nobody controls. */
export function candidatesFor<T extends KubernetesObject>(
  informer: Informer<T>,
  owner: KubernetesObject,
): readonly T[] {
  const byController = controllerIndex(informer)
  const orphans = byController(orphansOf(owner.metadata.namespace ?? ''))
  const owned = byController(owner.metadata.uid)
  return orphans.length === 0 ? owned : [...owned, ...orphans]
}

/** What the owner with the uid controls, matching or not. */
export function controlledBy<T extends KubernetesObject>(informer: Informer<T>, uid: string): readonly T[] {
  return controllerIndex(informer)(uid)
}

function controllerIndex<T extends KubernetesObject>(informer: Informer<T>): (value: string) => readonly T[] {
  return informer.index('controller', (object) => [
    controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace ?? ''),
  ])
}

export interface Claims<T> {
  /** Controlled by the owner and matching: what the owner works with. Adopted ones come on top. */
  readonly owned: readonly T[]
  /** Orphans that match and are to get the owner's reference. */
  readonly adopt: readonly T[]
  /** Controlled by the owner, but matching no longer: to lose its reference. */
  readonly release: readonly T[]
}

/** Sorts candidates by what the owner's selector says of them. An owner that is going away claims nothing new. */
export function decideClaims<T extends KubernetesObject>(
  owner: KubernetesObject,
  matcher: LabelMatcher,
  candidates: readonly T[],
): Claims<T> {
  const isLeaving = owner.metadata.deletionTimestamp !== undefined
  const owned: T[] = []
  const adopt: T[] = []
  const release: T[] = []
  for (const object of candidates) {
    const controller = controllerOf(object)
    const matches = matcher.matches(object.metadata.labels)
    if (controller?.uid === owner.metadata.uid) {
      if (matches) owned.push(object)
      else if (!isLeaving) release.push(object)
    } else if (controller === undefined && matches && !isLeaving && object.metadata.deletionTimestamp === undefined) {
      adopt.push(object)
    }
  }
  return { owned, adopt, release }
}

export interface OwnerKind<T extends KubernetesObject> {
  readonly resource: Resource<T>
  readonly matcherOf: (owner: T) => LabelMatcher
}

/**
 * The owner keys that a change of a dependent concerns: its controllers now and before, and for an orphan every owner
 * in the namespace whose selector matches, since one of them may adopt it.
 */
export function ownerKeys<T extends KubernetesObject>(owner: OwnerKind<T>): NonNullable<Watch['keysOf']> {
  return (object, context, previous) => {
    const key = controllerKey(owner.resource, object)
    const before = previous === undefined ? undefined : controllerKey(owner.resource, previous)
    const keys = controllerOf(object) === undefined ? adopterKeys(owner, object, context) : []
    if (key !== undefined) keys.push(key)
    if (before !== undefined && !keys.includes(before)) keys.push(before)
    return keys
  }
}

function controllerKey(resource: Resource, object: KubernetesObject): string | undefined {
  const controller = controllerOf(object)
  if (controller?.kind !== resource.kind || groupOf(controller.apiVersion) !== resource.group) return undefined
  return `${object.metadata.namespace}/${controller.name}`
}

function adopterKeys<T extends KubernetesObject>(
  { resource, matcherOf }: OwnerKind<T>,
  object: KubernetesObject,
  { informers }: ControllerContext,
): string[] {
  const labels: Labels | undefined = object.metadata.labels
  if (labels === undefined) return []
  return informers
    .of(resource)
    .list(object.metadata.namespace)
    .filter((owner) => matcherOf(owner).matches(labels))
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}

/** The group in an `apiVersion`. */
export function groupOf(apiVersion: string): string {
  const cut = apiVersion.indexOf('/')
  return cut < 0 ? '' : apiVersion.slice(0, cut)
}
