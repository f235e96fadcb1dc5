import { compareQuantities, quantityValue } from '#api/meta/quantity.ts'
import type { PersistentVolumeClaim } from '#api/types/core.v1.ts'
import type { CsiSource } from './csi-source.ts'

/** Conditions that end with the growth of what is on the node. */
const settledConditions = ['FileSystemResizePending', 'Resizing', 'NodeResizeError']

/** How many bytes the node is to grow the volume to; `undefined` when it has grown as far as its claim says. */
export function growthWanted({ capacity }: CsiSource, { status }: PersistentVolumeClaim): number | undefined {
  if (capacity === undefined) return undefined
  const known = status?.capacity?.['storage'] ?? capacity
  const isPending = status?.conditions?.some(
    ({ type, status: is }) => type === 'FileSystemResizePending' && is === 'True',
  )
  return isPending === true || compareQuantities(capacity, known) > 0 ? quantityValue(capacity) : undefined
}

/** The claim's status once the node has done its part. */
export function grownStatus(
  { capacity = '0' }: CsiSource,
  { status }: PersistentVolumeClaim,
): NonNullable<PersistentVolumeClaim['status']> {
  const { conditions = [], allocatedResourceStatuses, ...rest } = status ?? {}
  const { storage: _settled, ...others } = allocatedResourceStatuses ?? {}
  return {
    ...rest,
    capacity: { ...rest.capacity, storage: capacity },
    conditions: conditions.filter(({ type }) => !settledConditions.includes(type)),
    ...(Object.keys(others).length > 0 && { allocatedResourceStatuses: others }),
  }
}
