import { deepEqual } from '#api/meta/deep-equal.ts'
import { forbiddenField } from '#api/meta/field-errors.ts'
import { invalid } from '#api/meta/status.ts'
import type { PodCertificateRequest } from '#api/types/certificates.v1beta1.ts'
import type { AdmissionPlugin } from './admission.ts'
import { mayUseSigner } from './signer-rights.ts'

/** What comes of a request is for those to say who have the right `sign` on its signer (KEP-4317). */
export const podCertificateSigning: AdmissionPlugin = {
  name: 'PodCertificateSigning',
  resources: ['certificates.k8s.io/podcertificaterequests'],
  operations: ['UPDATE'],
  subresources: ['status'],
  validate(request, context) {
    if (request.info.subresource !== 'status') return
    const now = request.object as unknown as PodCertificateRequest
    const old = request.oldObject as PodCertificateRequest
    if (deepEqual(now.status ?? {}, old.status ?? {})) return
    const { signerName } = old.spec
    if (mayUseSigner(request, context, { verb: 'sign', signerName })) return
    const detail = `User "${request.user.name}" is not permitted to "sign" for signer "${signerName}"`
    const target = { group: 'certificates.k8s.io', kind: 'PodCertificateRequest', name: old.metadata.name }
    throw invalid(target, [forbiddenField('spec.signerName', detail)])
  },
}
