import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { bitString, context, integer, objectIdentifier, sequence, set } from './der.ts'
import { alternativeNames, type AlternativeNames } from './extensions.ts'
import { encodePem } from './pem.ts'
import { signatureAlgorithm } from './signature-algorithm.ts'
import { encodeSubject, type Subject } from './subject.ts'

/** What a certificate is asked for. */
export interface RequestedCertificate extends AlternativeNames {
  readonly subject: Subject
}

const extensionRequest = '1.2.840.113549.1.9.14'

/** A PKCS #10 request (RFC 2986) as PEM, signed with the private key that it is for. */
export function createSigningRequest(wanted: RequestedCertificate, privateKeyPem: string): string {
  return encodePem('CERTIFICATE REQUEST', signingRequestDer(wanted, createPrivateKey(privateKeyPem)))
}

/** The same as DER, for a key that is loaded already. */
export function signingRequestDer(wanted: RequestedCertificate, key: KeyObject): Buffer {
  const info = sequence(
    integer(Buffer.from([0])),
    encodeSubject(wanted.subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    context(0, true, ...attributes(wanted)),
  )
  const { hash, identifier } = signatureAlgorithm(key)
  return sequence(info, identifier, bitString(sign(hash, info, key)))
}

function attributes(wanted: RequestedCertificate): Buffer[] {
  if ((wanted.dnsNames?.length ?? 0) + (wanted.ipAddresses?.length ?? 0) === 0) return []
  return [sequence(objectIdentifier(extensionRequest), set(sequence(alternativeNames(wanted))))]
}
