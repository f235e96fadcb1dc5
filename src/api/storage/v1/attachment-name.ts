import { createHash } from 'node:crypto'

/** A volume as its driver knows it. */
export interface DriverVolume {
  readonly driver: string
  readonly handle: string
}

/** What the lists of attached and used volumes in a node's status call a volume. */
export function uniqueVolumeName({ driver, handle }: DriverVolume): string {
  return `kubernetes.io/csi/${driver}^${handle}`
}

/** The name of the VolumeAttachment that stands for a volume at a node. */
export function attachmentName({ driver, handle }: DriverVolume, nodeName: string): string {
  return `csi-${createHash('sha256').update(`${handle}${driver}${nodeName}`).digest('hex')}`
}
