import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { isMatchingPair, type KeyPair } from './certificate.ts'
import { decodePem } from './pem.ts'

/** A new EC P-256 private key as PKCS #8 PEM. */
export function newPrivateKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
}

/** Both halves of a pair as one text, so that they reach the disk together or not at all. */
export function joinPair(pair: KeyPair): string {
  return pair.certificate + pair.key
}

/** The inverse of `joinPair`; undefined unless the text holds exactly one certificate and the key that belongs to it. */
export function splitPair(text: string): KeyPair | undefined {
  try {
    const blocks = decodePem(text).map((block) => block.label)
    if (blocks.join() !== 'CERTIFICATE,PRIVATE KEY') return undefined
    const cut = text.indexOf('-----BEGIN PRIVATE KEY-----')
    const pair = { certificate: text.slice(0, cut), key: text.slice(cut) }
    return isMatchingPair(pair) ? pair : undefined
  } catch {
    return undefined
  }
}

/** When four fifths of a certificate's life are over. */
export function renewAtMs(certificatePem: string): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem)
  return validFromDate.getTime() + (validToDate.getTime() - validFromDate.getTime()) * 0.8
}
