import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Pod } from '#api/types/core.v1.ts'
import type { CsiSource } from './csi-source.ts'
import type { NodeCapability } from './csi-driver.ts'
import type { VolumeCapability_AccessMode_Mode, VolumeCapabilitySchema } from './generated/csi_pb.ts'

type VolumeCapabilityInit = MessageInitShape<typeof VolumeCapabilitySchema>

/** Access modes by their numbers on the wire. */
const accessModes = {
  singleNodeWriter: 1,
  multiNodeReaderOnly: 3,
  multiNodeMultiWriter: 5,
  singleNodeSingleWriter: 6,
  singleNodeMultiWriter: 7,
} as const

/** How a volume is wanted, as its driver is told. The first access mode of a volume counts. */
export function volumeCapability(
  source: CsiSource,
  driverCan: ReadonlySet<NodeCapability>,
  pod?: Pod,
): VolumeCapabilityInit {
  const accessMode = { mode: accessModeOf(source.accessModes[0], driverCan.has('SINGLE_NODE_MULTI_WRITER')) }
  if (source.isBlock) return { accessMode, accessType: { case: 'block', value: {} } }
  const fsGroup = pod?.spec.securityContext?.fsGroup
  const isGroupGiven = fsGroup !== undefined && driverCan.has('VOLUME_MOUNT_GROUP')
  const value = {
    fsType: source.fsType,
    mountFlags: [...source.mountOptions],
    ...(isGroupGiven && { volumeMountGroup: String(fsGroup) }),
  }
  return { accessMode, accessType: { case: 'mount', value } }
}

function accessModeOf(mode: string | undefined, knowsSingleNodeModes: boolean): VolumeCapability_AccessMode_Mode {
  switch (mode) {
    case 'ReadOnlyMany':
      return accessModes.multiNodeReaderOnly
    case 'ReadWriteMany':
      return accessModes.multiNodeMultiWriter
    case 'ReadWriteOncePod':
      return knowsSingleNodeModes ? accessModes.singleNodeSingleWriter : accessModes.singleNodeWriter
    default:
      return knowsSingleNodeModes ? accessModes.singleNodeMultiWriter : accessModes.singleNodeWriter
  }
}

/** Whether the kubelet itself gives the volume to the pod's group, by the driver's `fsGroupPolicy`. */
export function isGivenToGroup(source: CsiSource, policy: string, driverCan: ReadonlySet<NodeCapability>): boolean {
  if (source.isBlock || source.readOnly || policy === 'None' || driverCan.has('VOLUME_MOUNT_GROUP')) return false
  if (policy === 'File') return true
  const isWrittenOnce = source.accessModes.some((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod')
  return source.fsType !== '' && isWrittenOnce
}
