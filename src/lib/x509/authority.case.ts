import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { issueCertificate, issueSelfSigned, type KeyPair } from './certificate.ts'

const dayMs = 86_400_000

/** A signer for tests. */
export interface TestAuthority extends KeyPair {
  /** A leaf certificate for a key, PEM. */
  issue(publicKey: KeyObject, life: { readonly fromMs: number; readonly seconds: number }): string
}

/** A new authority whose certificate is good for ten days around now. */
export function testAuthority(commonName: string, nowMs: number): TestAuthority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const serial = Buffer.alloc(16, commonName)
  const certificate = issueSelfSigned(
    {
      subject: { commonName },
      publicKey,
      notBeforeMs: nowMs - 5 * dayMs,
      notAfterMs: nowMs + 5 * dayMs,
      serial,
      isCa: true,
      keyUsages: ['certSign'],
    },
    privateKey,
  )
  return {
    certificate,
    key,
    issue(ofKey, { fromMs, seconds }) {
      const life = { notBeforeMs: fromMs, notAfterMs: fromMs + seconds * 1000 }
      const subject = { commonName: 'leaf' }
      const uses = { keyUsages: ['digitalSignature'], extendedKeyUsages: ['clientAuth', 'serverAuth'] } as const
      return issueCertificate({ subject, publicKey: ofKey, ...life, serial, ...uses }, { certificate, key })
    },
  }
}
