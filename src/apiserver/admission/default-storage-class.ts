import { claimStorageClass, defaultStorageClassAnnotations } from '#api/core/v1/volume-facts.ts'
import type { Draft } from '#api/kind.ts'
import type { PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { storageClasses } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'
import { defaultClassOf } from './default-class.ts'

/** A claim that names no class gets the default one; the empty name means none on purpose. */
export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  resources: ['persistentvolumeclaims'],
  operations: ['CREATE'],
  mutate({ object }, { reader }) {
    const claim = object as Draft<PersistentVolumeClaim>
    if (claimStorageClass(claim as PersistentVolumeClaim) !== undefined) return
    const found = defaultClassOf(reader, storageClasses, defaultStorageClassAnnotations)
    if (found !== undefined) (claim.spec ??= {}).storageClassName = found.metadata.name
  },
}
