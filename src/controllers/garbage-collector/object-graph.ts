import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'
import type { Informer, Informers } from '#client/informer.ts'
import { groupOf } from '../owned-objects.ts'

/** An object and the resource it belongs to. */
export interface Located {
  readonly resource: Resource
  readonly object: KubernetesObject
}

interface Collection {
  readonly resource: Resource
  readonly informer: Informer<KubernetesObject>
  readonly dependentsOf: (ownerUid: string) => readonly KubernetesObject[]
}

/**
 * Who owns whom, over every resource followed. It holds nothing but an index per informer: dependents are found by
 * their owner's uid, owners by kind and name. Asking costs one map lookup per resource.
 */
export class ObjectGraph {
  readonly #informers: Informers
  readonly #collections = new Map<string, Collection>()
  readonly #byKind = new Map<string, Resource>()

  constructor(informers: Informers) {
    this.#informers = informers
  }

  /** Includes a resource. False if it was included before. */
  follow(resource: Resource): boolean {
    const key = collectionKey(resource)
    if (this.#collections.get(key)?.resource.version === resource.version) return false
    const informer = this.#informers.of(resource)
    const dependentsOf = informer.index('owners', ({ metadata }) =>
      (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    )
    this.#collections.set(key, { resource, informer, dependentsOf })
    this.#byKind.set(`${resource.group}/${resource.kind}`, resource)
    return true
  }

  find(group: string, plural: string, name: string, namespace: string): Located | undefined {
    const collection = this.#collections.get(`${group}/${plural}`)
    const object = collection?.informer.get(name, namespace)
    return collection === undefined || object === undefined ? undefined : { resource: collection.resource, object }
  }

  dependentsOf(ownerUid: string): readonly Located[] {
    const found: Located[] = []
    for (const { resource, dependentsOf } of this.#collections.values()) {
      for (const object of dependentsOf(ownerUid)) found.push({ resource, object })
    }
    return found
  }

  /** The resource of an owner's kind, whatever version the reference names; undefined if nobody serves it. */
  resourceOf({ apiVersion, kind }: OwnerReference): Resource | undefined {
    return this.#byKind.get(`${groupOf(apiVersion)}/${kind}`)
  }

  /** The owner that a dependent in `namespace` refers to, if an informer shows exactly that one. */
  ownerOf(reference: OwnerReference, namespace: string): KubernetesObject | undefined {
    const resource = this.resourceOf(reference)
    if (resource === undefined) return undefined
    const collection = this.#collections.get(collectionKey(resource))
    const owner = collection?.informer.get(reference.name, resource.namespaced ? namespace : '')
    return owner?.metadata.uid === reference.uid ? owner : undefined
  }
}

function collectionKey({ group, plural }: Resource): string {
  return `${group}/${plural}`
}
