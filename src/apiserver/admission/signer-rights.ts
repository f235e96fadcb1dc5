import { authorizeByAll } from '../authz/authorizers.ts'
import type { AdmissionContext, AdmissionRequest } from './admission.ts'

/** Whether who makes the request has the right to a signer: of its name, or of all signers of its domain (`example.com/*`). */
export function mayUseSigner(
  { info, user }: AdmissionRequest,
  { authorizers }: AdmissionContext,
  { verb, signerName }: { readonly verb: 'approve' | 'sign' | 'attest'; readonly signerName: string },
): boolean {
  const names = [signerName, `${signerName.split('/')[0]}/*`]
  return names.some((name) => {
    const asked = {
      ...info,
      user,
      isResourceRequest: true,
      verb: verb as typeof info.verb,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
    }
    return authorizeByAll(authorizers, asked).decision === 'allow'
  })
}
