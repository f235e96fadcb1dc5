import { compareQuantities } from '#api/meta/quantity.ts'
import type { PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { storageClasses } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refuse } from './refuse.ts'

/** Only bound claims of a class that allows it may grow. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  resources: ['persistentvolumeclaims'],
  operations: ['UPDATE'],
  validate(request, { reader }) {
    const claim = request.object as PersistentVolumeClaim
    const old = request.oldObject as PersistentVolumeClaim
    const size = claim.spec?.resources?.requests?.['storage']
    const oldSize = old.spec?.resources?.requests?.['storage']
    if (size === undefined || oldSize === undefined || compareQuantities(size, oldSize) <= 0) return
    if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded')
    const name = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName
    if (name && reader.get(storageClasses, name)?.allowVolumeExpansion) return
    throw refuse(
      request,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    )
  },
}
