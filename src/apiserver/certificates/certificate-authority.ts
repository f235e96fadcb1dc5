import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { issueCertificate, issueSelfSigned, type CertificateRequest, type KeyPair } from '#lib/x509/certificate.ts'
import type { ExtendedKeyUsage } from '#lib/x509/extensions.ts'
import { renewAtMs } from '#lib/x509/key-pair-text.ts'
import type { Subject } from '#lib/x509/subject.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const authorityValidityMs = 3650 * dayMs
const leafValidityMs = 365 * dayMs

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

/** The public half of a private key, SPKI PEM. */
export function publicKeyOf(privateKeyPem: string): string {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }) as string
}
