import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Client, ResourceClient } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'

/** The informer of a watched resource, or undefined for a resource the controller does not watch. */
export type InformerOf = (resource: Resource) => Informer<KubernetesObject> | undefined

interface Expected {
  /** The highest revision written, per watched resource: its informer must reach it. */
  readonly revisions: Map<Informer<KubernetesObject>, number>
  /** Objects deleted: they must be gone or marked. */
  readonly deletions: Set<Deletion>
}

interface Deletion {
  readonly informer: Informer<KubernetesObject>
  readonly name: string
  readonly namespace: string | undefined
  readonly uid: string
}

/**
 * What the informers must have seen before a key is worked on again, so that a stale copy never makes a controller
 * create or delete twice. Nothing is counted: a write is known by the revision the server gave it.
 *
 *     reconcile(web) creates pod web-1 at revision 41; the pods informer stands at 40 → web waits
 *     the informer applies revision 41 (or any later one)                             → web is worked on
 */
export class Expectations {
  readonly #informerOf: InformerOf
  readonly #expected = new Map<string, Expected>()

  constructor(informerOf: InformerOf) {
    this.#informerOf = informerOf
  }

  /** Keys that wait for something. */
  get size(): number {
    return this.#expected.size
  }

  /** Whether everything expected of `key` has been seen; then it is forgotten. */
  fulfilled(key: string): boolean {
    const expected = this.#expected.get(key)
    if (expected === undefined) return true
    for (const [informer, revision] of expected.revisions) {
      if (Number(informer.resourceVersion) < revision) return false
      expected.revisions.delete(informer)
    }
    for (const deletion of expected.deletions) {
      if (!isDeleted(deletion)) return false
      expected.deletions.delete(deletion)
    }
    this.#expected.delete(key)
    return true
  }

  /** `object` is what the server answered to a write made for `key`. */
  wrote(key: string, resource: Resource, object: KubernetesObject): void {
    const informer = this.#informerOf(resource)
    const revision = Number(object?.metadata?.resourceVersion)
    if (informer === undefined || !(revision > Number(informer.resourceVersion))) return
    const { revisions } = this.#of(key)
    revisions.set(informer, Math.max(revision, revisions.get(informer) ?? 0))
  }

  deleted(key: string, resource: Resource, name: string, namespace: string | undefined): void {
    const informer = this.#informerOf(resource)
    const known = informer?.get(name, namespace)
    if (informer === undefined || known === undefined) return
    const deletion = { informer, name, namespace, uid: known.metadata.uid }
    if (!isDeleted(deletion)) this.#of(key).deletions.add(deletion)
  }

  #of(key: string): Expected {
    const known = this.#expected.get(key)
    if (known !== undefined) return known
    const expected: Expected = { revisions: new Map(), deletions: new Set() }
    this.#expected.set(key, expected)
    return expected
  }
}

function isDeleted({ informer, name, namespace, uid }: Deletion): boolean {
  const known = informer.get(name, namespace)
  return known === undefined || known.metadata.uid !== uid || known.metadata.deletionTimestamp !== undefined
}

/** The client as a reconcile of `key` sees it: what it writes becomes expected of the informers. */
export function expectingClient(client: Client, expectations: Expectations, key: string): Client {
  return {
    ...client,
    resource: (resource, namespace) =>
      expectingResource(client.resource(resource, namespace), resource, { expectations, key, namespace }),
    as: (user) => expectingClient(client.as(user), expectations, key),
  }
}

function expectingResource<T extends KubernetesObject>(
  collection: ResourceClient<T>,
  resource: Resource<T>,
  { expectations, key, namespace }: { expectations: Expectations; key: string; namespace: string | undefined },
): ResourceClient<T> {
  const noted = async (writing: Promise<T>): Promise<T> => {
    const object = await writing
    expectations.wrote(key, resource, object)
    return object
  }
  return {
    ...collection,
    create: (object, options) => noted(collection.create(object, options)),
    update: (object, options) => noted(collection.update(object, options)),
    updateStatus: (object, options) => noted(collection.updateStatus(object, options)),
    patch: (name, patch, options) => noted(collection.patch(name, patch, options)),
    apply: (object, options) => noted(collection.apply(object, options)),
    delete: async (name, options) => {
      await collection.delete(name, options)
      expectations.deleted(key, resource, name, namespace)
    },
  }
}
