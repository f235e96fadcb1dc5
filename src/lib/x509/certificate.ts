import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject, X509Certificate } from 'node:crypto'
import {
  bitString,
  context,
  DerError,
  integer,
  readElements,
  readOne,
  sequence,
  tags,
  time,
  type DerElement,
} from './der.ts'
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  serialNumber,
  subjectKeyId,
  type AlternativeNames,
  type ExtendedKeyUsage,
  type KeyUsage,
} from './extensions.ts'
import { encodePem } from './pem.ts'
import { signatureAlgorithm } from './signature-algorithm.ts'
import { decodeSubject, encodeSubject, type ParsedSubject, type Subject } from './subject.ts'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** What is to be certified. Times are epoch milliseconds, cut to seconds. */
export interface CertificateRequest extends AlternativeNames {
  readonly subject: Subject | { readonly der: Buffer }
  readonly publicKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** 16 bytes from a secure source. */
  readonly serial: Uint8Array
  readonly isCa?: boolean
  readonly keyUsages: readonly KeyUsage[]
  readonly extendedKeyUsages?: readonly ExtendedKeyUsage[]
}

/** Signs with the issuer's key (EC with SHA-2, RSA with SHA-256, or Ed25519) and returns the certificate as PEM (RFC 5280). */
export function issueCertificate(request: CertificateRequest, issuer: KeyPair): string {
  const certificate = new X509Certificate(issuer.certificate)
  const issued = {
    name: subjectElement(certificate.raw).whole,
    keyId: keyIdOf(certificate.publicKey),
    key: createPrivateKey(issuer.key),
  }
  return signCertificate(request, issued)
}

/** A certificate that signs itself: a new root. `key` must be the private half of `request.publicKey`. */
export function issueSelfSigned(request: CertificateRequest, key: KeyObject): string {
  return signCertificate(request, { name: subjectBytes(request.subject), keyId: keyIdOf(request.publicKey), key })
}

interface Issuer {
  readonly name: Buffer
  readonly keyId: Buffer
  readonly key: KeyObject
}

function signCertificate(request: CertificateRequest, issuer: Issuer): string {
  const algorithm = signatureAlgorithm(issuer.key)
  const body = sequence(
    context(0, true, integer(Buffer.from([2]))),
    serialNumber(request.serial),
    algorithm.identifier,
    issuer.name,
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    subjectBytes(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    context(3, true, sequence(...extensionsOf(request, issuer))),
  )
  const signature = sign(algorithm.hash, body, issuer.key)
  return encodePem('CERTIFICATE', sequence(body, algorithm.identifier, bitString(signature)))
}

function extensionsOf(request: CertificateRequest, issuer: Issuer): Buffer[] {
  const extended = request.extendedKeyUsages ?? []
  const names = (request.dnsNames?.length ?? 0) + (request.ipAddresses?.length ?? 0)
  return [
    ...(request.keyUsages.length === 0 ? [] : [keyUsage(request.keyUsages)]),
    ...(extended.length === 0 ? [] : [extendedKeyUsage(extended)]),
    basicConstraints(request.isCa ?? false),
    subjectKeyId(keyIdOf(request.publicKey)),
    authorityKeyId(issuer.keyId),
    ...(names === 0 ? [] : [alternativeNames(request)]),
  ]
}

function subjectBytes(subject: CertificateRequest['subject']): Buffer {
  return 'der' in subject ? subject.der : encodeSubject(subject)
}

/** The subject as parsed from a certificate's DER bytes; unlike `X509Certificate.subject` it cannot be ambiguous. */
export function certificateSubject(der: Buffer): ParsedSubject {
  return decodeSubject(subjectElement(der).body)
}

/** The subject exactly as it stands in the certificate: chains are matched byte by byte. */
function subjectElement(der: Buffer): DerElement {
  const outer = readElements(readOne(der, tags.sequence).body)
  const fields = readElements(outer[0]?.body ?? Buffer.alloc(0))
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4]
  if (subject === undefined) throw new DerError('certificate without subject')
  return subject
}

/** SHA-1 of the public key's bits: method 1 of RFC 5280, section 4.2.1.2. */
function keyIdOf(publicKey: KeyObject): Buffer {
  const bits = readElements(readOne(publicKey.export({ type: 'spki', format: 'der' }), tags.sequence).body)[1]
  if (bits === undefined) throw new DerError('public key without bits')
  return createHash('sha1').update(bits.body.subarray(1)).digest()
}

/** Whether the private key belongs to the certificate, so that a half-written pair is never used. */
export function isMatchingPair(pair: KeyPair): boolean {
  const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
  return spki(createPublicKey(createPrivateKey(pair.key))).equals(spki(new X509Certificate(pair.certificate).publicKey))
}
