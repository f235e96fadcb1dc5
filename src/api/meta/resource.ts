import type { ObjectMeta } from '../types/meta.v1.ts'

/** Any Kubernetes object: what the rooms below the kinds may rely on. Objects in caches are deep-frozen. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** Names one served resource and, in its type parameter, the objects it holds. `T` exists for the type checker only. */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: T['kind']
  readonly namespaced: boolean
}

/** An object to be created: the server fills in the rest of the metadata, the client `apiVersion` and `kind`. */
export type New<T extends KubernetesObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly apiVersion?: T['apiVersion']
  readonly kind?: T['kind']
  readonly metadata: Partial<ObjectMeta>
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key of work queues and listers. */
export function keyOf(object: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): string {
  const namespace = object.metadata.namespace
  return namespace === undefined || namespace === '' ? object.metadata.name : `${namespace}/${object.metadata.name}`
}

/** The inverse of `keyOf`; the namespace of a cluster-scoped key is the empty string. */
export function splitKey(key: string): { namespace: string; name: string } {
  const cut = key.indexOf('/')
  return cut < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, cut), name: key.slice(cut + 1) }
}
