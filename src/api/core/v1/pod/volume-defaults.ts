import type { Draft } from '../../../kind.ts'
import type { DownwardAPIVolumeFile, Volume } from '../../../types/core.v1.ts'
import { imagePullPolicyFor } from './image-pull-policy.ts'

/** rw-r--r--, the mode of projected files unless told otherwise. */
const defaultFileMode = 0o644

/** Defaults of one volume; a volume without a source is an empty directory (API reference, Volume). */
export function setVolumeDefaults(volume: Draft<Volume>): void {
  const { name: _, ...sources } = volume
  if (Object.values(sources).every((source) => source === undefined)) volume.emptyDir = {}
  for (const source of [volume.secret, volume.configMap]) {
    if (source !== undefined) source.defaultMode ??= defaultFileMode
  }
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= defaultFileMode
    volume.downwardAPI.items?.forEach(setDownwardFileDefaults)
  }
  if (volume.projected !== undefined) setProjectedDefaults(volume.projected)
  if (volume.hostPath !== undefined) volume.hostPath.type ??= ''
  if (volume.image !== undefined) volume.image.pullPolicy ??= imagePullPolicyFor(volume.image.reference)
  const claim = volume.ephemeral?.volumeClaimTemplate
  if (claim !== undefined) {
    const spec = (claim.spec ??= {})
    spec.volumeMode ??= 'Filesystem'
  }
  setOldDriverDefaults(volume)
}

function setProjectedDefaults(projected: Draft<NonNullable<Volume['projected']>>): void {
  projected.defaultMode ??= defaultFileMode
  for (const source of projected.sources ?? []) {
    source.downwardAPI?.items?.forEach(setDownwardFileDefaults)
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600
  }
}

function setDownwardFileDefaults(file: Draft<DownwardAPIVolumeFile>): void {
  if (file.fieldRef !== undefined) file.fieldRef.apiVersion ||= 'v1'
  if (file.resourceFieldRef !== undefined) file.resourceFieldRef.divisor ??= '0'
}

/** The drivers that once were built in; their volumes are still read, migrated to CSI or refused by the kubelet. */
function setOldDriverDefaults({ iscsi, rbd, azureDisk, scaleIO }: Draft<Volume>): void {
  if (iscsi !== undefined) iscsi.iscsiInterface ||= 'default'
  if (rbd !== undefined) {
    rbd.pool ||= 'rbd'
    rbd.user ||= 'admin'
    rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.kind ??= 'Shared'
    azureDisk.fsType ??= 'ext4'
    azureDisk.readOnly ??= false
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= 'ThinProvisioned'
    scaleIO.fsType ||= 'xfs'
  }
}
