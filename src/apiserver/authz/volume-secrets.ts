import type { PersistentVolume } from '#api/types/core.v1.ts'

/** Whether whoever mounts the volume has to read that secret. */
export function volumeNeedsSecret({ spec }: PersistentVolume, namespace: string, name: string): boolean {
  const { csi, cephfs, rbd, iscsi, flexVolume, scaleIO, storageos, azureFile, claimRef } = spec ?? {}
  const references = [
    csi?.nodeStageSecretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeExpandSecretRef,
    cephfs?.secretRef,
    rbd?.secretRef,
    iscsi?.secretRef,
    flexVolume?.secretRef,
    scaleIO?.secretRef,
    storageos?.secretRef,
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
  ]
  // A reference without a namespace means that of the claim.
  return references.some((secret) => secret?.name === name && (secret.namespace ?? claimRef?.namespace) === namespace)
}
