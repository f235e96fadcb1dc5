import type { AdmissionPlugin } from './admission.ts'

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
  volumeattributesclasses: 'kubernetes.io/vac-protection',
}

/** What holds data or is used by what holds data is not removed while it is in use. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  resources: ['persistentvolumeclaims', 'persistentvolumes', 'storage.k8s.io/volumeattributesclasses'],
  operations: ['CREATE'],
  mutate({ object, info }) {
    const finalizer = finalizers[info.resource]
    if (object === undefined || finalizer === undefined || object.metadata.finalizers?.includes(finalizer)) return
    ;(object.metadata.finalizers ??= []).push(finalizer)
  },
}
