import { join } from 'node:path'
import { sha256, type CsiVolumeId } from './csi-source.ts'

/** Folder of a volume type in a pod's folder; the same names as everywhere, because drivers look at them. */
const csiFolder = 'kubernetes.io~csi'
/** Beside a mount point: whose volume it is. Names and shape are upstream's, so that tools can read it. */
export const dataFile = 'vol_data.json'

/** Where the volumes of CSI drivers lie below the kubelet's folder. */
export interface CsiPaths {
  readonly podsDir: string
  readonly stagingDir: string
  /** Folders of a pod that hold one folder or one link for each volume. */
  podMounts(podUid: string): string
  podDevices(podUid: string): string
  /** Where the driver is to publish the volume for the pod. */
  target(podUid: string, volume: CsiVolumeId): string
  /** What the kubelet remembers of that: written before the driver is asked, removed after it has unpublished. */
  podRecord(podUid: string, source: CsiVolumeId): string
  /** Where the driver stages the volume for all pods of the node. */
  staging(volume: CsiVolumeId): string
  stagingRecord(volume: CsiVolumeId): string
}

export function csiPaths(rootDir: string): CsiPaths {
  const podsDir = join(rootDir, 'pods')
  const stagingDir = join(rootDir, 'plugins/kubernetes.io/csi')
  const devices = join(stagingDir, 'volumeDevices')
  const podMounts = (uid: string): string => join(podsDir, uid, 'volumes', csiFolder)
  const podDevices = (uid: string): string => join(podsDir, uid, 'volumeDevices', csiFolder)
  const globalDir = ({ driver, handle }: CsiVolumeId): string => join(stagingDir, driver, sha256(handle))
  return {
    podsDir,
    stagingDir,
    podMounts,
    podDevices,
    target: (uid, { name, isBlock }) =>
      isBlock ? join(devices, 'publish', name, uid) : join(podMounts(uid), name, 'mount'),
    podRecord: (uid, { name, isBlock }) => join(isBlock ? podDevices(uid) : podMounts(uid), name, dataFile),
    staging: (volume) =>
      volume.isBlock ? join(devices, 'staging', volume.name) : join(globalDir(volume), 'globalmount'),
    stagingRecord: (volume) => join(globalDir(volume), dataFile),
  }
}
