import type { Pod } from '#api/types/core.v1.ts'

/** Who owns the files that the kubelet writes for a pod. */
export interface FileOwnership {
  readonly fsGroup?: number
  /** The one user that all containers run as, if there is such. */
  readonly user?: number
}

export function fileOwnership({ spec }: Pod): FileOwnership {
  const fsGroup = spec.securityContext?.fsGroup
  const users = [...spec.containers, ...(spec.initContainers ?? [])].map(
    (container) => container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
  )
  const [user] = users
  const isOneUser = user !== undefined && users.every((other) => other === user)
  return { ...(fsGroup !== undefined && { fsGroup }), ...(isOneUser && { user }) }
}

/** The mode of a file that `fsGroup` lets the group read. */
export function groupReadableFile(mode: number): number {
  return mode | 0o440
}

/** The mode of a folder whose files belong to `fsGroup`. */
export function groupReadableFolder(mode: number): number {
  return mode | 0o2550
}
