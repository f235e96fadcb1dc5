import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { DerError, readElements, readObjectIdentifier, readOne, tags, type DerElement } from './der.ts'
import { extensionIds } from './extensions.ts'
import { decodePem } from './pem.ts'
import { decodeSubject, type ParsedSubject } from './subject.ts'

/** A PKCS #10 certification request (RFC 2986) whose signature proved possession of the key. */
export interface SigningRequest {
  readonly subject: ParsedSubject
  /** The name as it was encoded: what a signer copies into the certificate. */
  readonly subjectDer: Buffer
  readonly publicKey: KeyObject
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

const hashes: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
}

const maxRequestBytes = 64 * 1024
const extensionRequestId = '1.2.840.113549.1.9.14'

/** Parses and verifies the PEM text. Throws `DerError` with a short reason for anything else than one sound request. */
export function parseSigningRequest(pem: string): SigningRequest {
  if (pem.length > maxRequestBytes) throw new DerError('certificate request is too large')
  const [block, ...others] = decodePem(pem)
  if (block === undefined || others.length > 0 || !/^(NEW )?CERTIFICATE REQUEST$/.test(block.label)) {
    throw new DerError('PEM block type must be CERTIFICATE REQUEST')
  }
  return parseSigningRequestDer(block.der)
}

/** Parses and verifies DER bytes, as `parseSigningRequest` does. */
export function parseSigningRequestDer(der: Buffer): SigningRequest {
  try {
    return parseRequest(der)
  } catch (error) {
    throw error instanceof DerError ? error : new DerError('malformed certificate request', { cause: error })
  }
}

function parseRequest(der: Buffer): SigningRequest {
  const [info, algorithm, signature] = readElements(readOne(der, tags.sequence).body)
  if (info === undefined || algorithm === undefined || signature?.tag !== tags.bitString)
    throw new DerError('bad request')
  const [, subject, publicKeyInfo, attributes] = readElements(info.body)
  if (subject === undefined || publicKeyInfo === undefined) throw new DerError('bad request')
  const publicKey = createPublicKey({ key: publicKeyInfo.whole, format: 'der', type: 'spki' })
  const hash = hashes[readObjectIdentifier(readElements(algorithm.body)[0]?.body ?? Buffer.alloc(0))]
  if (hash === undefined) throw new DerError('unsupported signature algorithm')
  if (!verify(hash, info.whole, publicKey, signature.body.subarray(1))) throw new DerError('bad signature')
  const names = attributes === undefined ? [] : requestedNames(attributes)
  const texts = (tag: number): string[] =>
    names.filter((name) => name.tag === tag).map((name) => name.body.toString('latin1'))
  return {
    subject: decodeSubject(subject.body),
    subjectDer: subject.whole,
    publicKey,
    emailAddresses: texts(0x81),
    dnsNames: texts(0x82),
    uris: texts(0x86),
    ipAddresses: names.filter((name) => name.tag === 0x87).map((name) => formatAddress(name.body)),
  }
}

/** The general names of the subject alternative name extension that the request asks for. */
function requestedNames(attributes: DerElement): DerElement[] {
  for (const attribute of readElements(attributes.body)) {
    const [id, values] = readElements(attribute.body)
    if (id === undefined || values === undefined || readObjectIdentifier(id.body) !== extensionRequestId) continue
    for (const extension of readElements(readOne(values.body, tags.sequence).body)) {
      const parts = readElements(extension.body)
      const value = parts.at(-1)
      if (parts[0] === undefined || value === undefined) throw new DerError('bad extension')
      if (readObjectIdentifier(parts[0].body) !== extensionIds.alternativeNames) continue
      return readElements(readOne(value.body, tags.sequence).body)
    }
  }
  return []
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new DerError('bad IP address in certificate request')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')
  return new URL(`http://[${groups}]`).hostname.slice(1, -1)
}
