import type { Namespace } from '#api/types/core.v1.ts'

/** Whether new objects may still be made in the namespace. */
export function isNamespaceActive(namespace: Namespace | undefined): namespace is Namespace {
  return (
    namespace !== undefined &&
    namespace.metadata.deletionTimestamp === undefined &&
    namespace.status?.phase !== 'Terminating'
  )
}
