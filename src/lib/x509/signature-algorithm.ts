import type { KeyObject } from 'node:crypto'
import { objectIdentifier, sequence, tags } from './der.ts'

export interface SignatureAlgorithm {
  /** As `sign` of `node:crypto` takes it. */
  readonly hash: string | null
  /** As it stands in certificates and requests. */
  readonly identifier: Buffer
}

/** How a key signs: EC with the hash of its size, RSA with SHA-256 (PKCS #1 v1.5), Ed25519 as it is. */
export function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  const withoutParameters = (id: string): Buffer => sequence(objectIdentifier(id))
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = key.asymmetricKeyDetails?.namedCurve
      if (curve === 'secp384r1') return { hash: 'sha384', identifier: withoutParameters('1.2.840.10045.4.3.3') }
      if (curve === 'secp521r1') return { hash: 'sha512', identifier: withoutParameters('1.2.840.10045.4.3.4') }
      return { hash: 'sha256', identifier: withoutParameters('1.2.840.10045.4.3.2') }
    }
    case 'rsa':
      return {
        hash: 'sha256',
        identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), Buffer.from([tags.null, 0])),
      }
    case 'ed25519':
      return { hash: null, identifier: withoutParameters('1.3.101.112') }
    default:
      throw new TypeError(`Cannot sign certificates with a key of type ${String(key.asymmetricKeyType)}`)
  }
}
