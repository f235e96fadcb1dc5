import { createHash, X509Certificate } from 'node:crypto'

/**
 * SHA-256 over a certificate's public key (its SubjectPublicKeyInfo, RFC 7469 section 2.4) as 64 lower-case hex digits.
 * It stays the same when an authority's certificate is renewed with the same key. Throws for text that is no certificate.
 */
export function publicKeyHash(certificatePem: string): string {
  const { publicKey } = new X509Certificate(certificatePem)
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}
