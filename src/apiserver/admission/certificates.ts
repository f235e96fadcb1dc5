import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { parseSigningRequest } from '#lib/x509/signing-request.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { refuse } from './refuse.ts'
import { mayUseSigner } from './signer-rights.ts'

const resources = ['certificates.k8s.io/certificatesigningrequests']

/** Approving takes the right `approve` on the signer, beyond the right to update (documentation, "Certificate Signing Requests"). */
export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  resources,
  operations: ['UPDATE'],
  subresources: ['approval'],
  validate(request, context) {
    if (request.info.subresource === 'approval') requireSigner(request, context, 'approve')
  },
}

/** Issuing the certificate, or failing the request, takes the right `sign` on the signer. */
export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  resources,
  operations: ['UPDATE'],
  subresources: ['status'],
  validate(request, context) {
    if (request.info.subresource !== 'status') return
    const now = (request.object as unknown as CertificateSigningRequest).status
    const old = (request.oldObject as CertificateSigningRequest).status
    const failed = (status: typeof now): boolean => status?.conditions?.some(({ type }) => type === 'Failed') ?? false
    if (now?.certificate === old?.certificate && failed(now) === failed(old)) return
    requireSigner(request, context, 'sign')
  },
}

/** No client certificate makes anybody a member of `system:masters`. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  resources,
  operations: ['CREATE'],
  validate(request) {
    const { spec } = request.object as unknown as CertificateSigningRequest
    if (spec.signerName !== 'kubernetes.io/kube-apiserver-client') return
    if (!organizationsOf(spec.request).includes('system:masters')) return
    throw refuse(request, `use of ${spec.signerName} signer with system:masters group is not allowed`)
  },
}

/** A request that cannot be read names nobody; validation refuses it by itself. */
function organizationsOf(base64: string): readonly string[] {
  try {
    return parseSigningRequest(Buffer.from(base64, 'base64').toString('utf8')).subject.organizations
  } catch {
    return []
  }
}

function requireSigner(request: AdmissionRequest, context: AdmissionContext, verb: 'approve' | 'sign'): void {
  const { signerName } = (request.oldObject as CertificateSigningRequest).spec
  if (mayUseSigner(request, context, { verb, signerName })) return
  throw refuse(request, `user not permitted to ${verb} requests with signerName "${signerName}"`)
}
