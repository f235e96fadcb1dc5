import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { bitString, context, integer, objectIdentifier, sequence, set } from './der.ts'
import { alternativeNames, type AlternativeNames } from './extensions.ts'
import { encodePem } from './pem.ts'
import { encodeSubject, type Subject } from './subject.ts'

/** What a certificate is asked for. */
export interface RequestedCertificate extends AlternativeNames {
  readonly subject: Subject
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const extensionRequest = '1.2.840.113549.1.9.14'

/** A PKCS #10 request (RFC 2986) as PEM, signed with the EC P-256 private key that it is for. */
export function createSigningRequest(wanted: RequestedCertificate, privateKeyPem: string): string {
  const key = createPrivateKey(privateKeyPem)
  const info = sequence(
    integer(Buffer.from([0])),
    encodeSubject(wanted.subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    context(0, true, ...attributes(wanted)),
  )
  const signature = sign('sha256', info, key)
  const algorithm = sequence(objectIdentifier(ecdsaWithSha256))
  return encodePem('CERTIFICATE REQUEST', sequence(info, algorithm, bitString(signature)))
}

function attributes(wanted: RequestedCertificate): Buffer[] {
  if ((wanted.dnsNames?.length ?? 0) + (wanted.ipAddresses?.length ?? 0) === 0) return []
  return [sequence(objectIdentifier(extensionRequest), set(sequence(alternativeNames(wanted))))]
}
