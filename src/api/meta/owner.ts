import type { OwnerReference } from '../types/meta.v1.ts'
import type { KubernetesObject } from './resource.ts'

interface Owned {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] | undefined }
}

/** The reference to the owner that manages the object, if one does. */
export function controllerOf(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

export function isControlledBy(object: Owned, owner: KubernetesObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid
}

/** A reference that makes `owner` the controller of whatever carries it, and blocks its foreground deletion. */
export function controllerReference(owner: KubernetesObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true }
}
