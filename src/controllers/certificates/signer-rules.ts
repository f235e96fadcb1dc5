import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import type { SigningRequest } from '#lib/x509/signing-request.ts'

export const clientKubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet'

interface SignerRule {
  /** Why the signer must not sign, or undefined. */
  readonly refusal: (request: SigningRequest, usages: readonly string[]) => string | undefined
}

const nodePrefix = 'system:node:'
const nodesGroup = 'system:nodes'

/** The built-in signers and what each demands (documentation, "Certificate Signing Requests", "Kubernetes signers"). */
export const signerRules: Readonly<Record<string, SignerRule>> = {
  'kubernetes.io/kube-apiserver-client': {
    refusal: (_request, usages) => {
      const allowed = ['client auth', 'digital signature', 'key encipherment']
      if (!usages.includes('client auth')) return 'usage "client auth" is required'
      return usages.every((usage) => allowed.includes(usage)) ? undefined : 'usages are limited to client auth'
    },
  },
  [clientKubeletSigner]: {
    refusal: (request, usages) => {
      if (!isNode(request)) return 'the subject is not that of a node'
      const { dnsNames, ipAddresses, emailAddresses, uris } = request
      if ([dnsNames, ipAddresses, emailAddresses, uris].some((names) => names.length > 0)) {
        return 'alternative names are not allowed'
      }
      return isExactly(usages, 'client auth') ? undefined : 'usages did not match client auth'
    },
  },
  'kubernetes.io/kubelet-serving': {
    refusal: (request, usages) => {
      if (!isNode(request)) return 'the subject is not that of a node'
      const { dnsNames, ipAddresses, emailAddresses, uris } = request
      if (emailAddresses.length > 0 || uris.length > 0) return 'e-mail addresses and URIs are not allowed'
      if (dnsNames.length === 0 && ipAddresses.length === 0) return 'a DNS name or an IP address is required'
      return isExactly(usages, 'server auth') ? undefined : 'usages did not match server auth'
    },
  },
  'kubernetes.io/legacy-unknown': { refusal: () => undefined },
}

/** The subject is one node and nothing else. */
function isNode({ subject }: SigningRequest): boolean {
  const { commonName, organizations, otherAttributes } = subject
  const isOnlyInGroup = organizations.length === 1 && organizations[0] === nodesGroup
  return isOnlyInGroup && commonName.startsWith(nodePrefix) && commonName !== nodePrefix && otherAttributes.length === 0
}

/** The purpose with `digital signature` and, for RSA keys of old, `key encipherment`. */
function isExactly(usages: readonly string[], purpose: 'client auth' | 'server auth'): boolean {
  const wanted = new Set([purpose, 'digital signature'])
  const given = new Set(usages)
  given.delete('key encipherment')
  return given.size === wanted.size && [...wanted].every((usage) => given.has(usage))
}

export function conditionOf(request: CertificateSigningRequest, type: 'Approved' | 'Denied' | 'Failed'): boolean {
  return request.status?.conditions?.some((condition) => condition.type === type) ?? false
}
