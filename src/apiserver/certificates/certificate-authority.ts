import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import {
  isMatchingPair,
  issueCertificate,
  issueSelfSigned,
  type CertificateRequest,
  type KeyPair,
} from '#lib/x509/certificate.ts'
import type { ExtendedKeyUsage } from '#lib/x509/extensions.ts'
import { decodePem } from '#lib/x509/pem.ts'
import type { Subject } from '#lib/x509/subject.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const authorityValidityMs = 3650 * dayMs
export const leafValidityMs = 365 * dayMs

export interface CertificateTools {
  readonly clock: Clock
  readonly random: Random
}

/** What a leaf certificate says. Names and addresses make it fit for a server. */
export interface LeafRequest {
  readonly subject: Subject
  readonly usages: readonly ExtendedKeyUsage[]
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

/** A new EC P-256 private key as PKCS #8 PEM. */
export function newPrivateKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
}

/** A new root, valid ten years. */
export function newAuthority(commonName: string, tools: CertificateTools): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const request: CertificateRequest = {
    subject: { commonName },
    publicKey,
    ...validity(authorityValidityMs, tools),
    isCa: true,
    keyUsages: ['digitalSignature', 'keyEncipherment', 'certSign'],
  }
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { certificate: issueSelfSigned(request, privateKey), key }
}

/** A new key with a certificate by `authority`, valid a year but never longer than the authority. */
export function newLeaf(leaf: LeafRequest, authority: KeyPair, tools: CertificateTools): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { certificate: certify(leaf, publicKey, authority, tools), key }
}

function certify(leaf: LeafRequest, publicKey: KeyObject, authority: KeyPair, tools: CertificateTools): string {
  const endMs = new X509Certificate(authority.certificate).validToDate.getTime()
  const dates = validity(leafValidityMs, tools)
  const request: CertificateRequest = {
    ...dates,
    notAfterMs: Math.min(dates.notAfterMs, endMs),
    subject: leaf.subject,
    publicKey,
    keyUsages: ['digitalSignature', 'keyEncipherment'],
    extendedKeyUsages: leaf.usages,
    ...(leaf.dnsNames && { dnsNames: leaf.dnsNames }),
    ...(leaf.ipAddresses && { ipAddresses: leaf.ipAddresses }),
  }
  return issueCertificate(request, authority)
}

/** Backdated by an hour, for peers whose clock is slow. */
function validity(
  durationMs: number,
  tools: CertificateTools,
): Pick<CertificateRequest, 'notBeforeMs' | 'notAfterMs' | 'serial'> {
  const nowMs = tools.clock.now()
  return { notBeforeMs: nowMs - hourMs, notAfterMs: nowMs + durationMs, serial: tools.random.bytes(16) }
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

/**
 * Whether a kept leaf still serves: issued by this authority, more than a fifth of its life left, and naming everything
 * that is asked for.
 */
export function isUsable(pair: KeyPair, leaf: LeafRequest, authority: KeyPair, nowMs: number): boolean {
  const certificate = new X509Certificate(pair.certificate)
  const root = new X509Certificate(authority.certificate)
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) return false
  if (nowMs < certificate.validFromDate.getTime()) return false
  if (nowMs > renewAtMs(pair.certificate)) return false
  return (
    (leaf.dnsNames ?? []).every((name) => certificate.checkHost(name) !== undefined) &&
    (leaf.ipAddresses ?? []).every((address) => certificate.checkIP(address) !== undefined)
  )
}

/** When four fifths of a certificate's life are over. */
export function renewAtMs(certificatePem: string): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem)
  return validFromDate.getTime() + (validToDate.getTime() - validFromDate.getTime()) * 0.8
}

/** The public half of a private key, SPKI PEM. */
export function publicKeyOf(privateKeyPem: string): string {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }) as string
}
