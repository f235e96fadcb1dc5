import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { parseSigningRequestDer } from '#lib/x509/signing-request.ts'
import { invalidValue, invalidWithoutValue, tooLong } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { PodCertificateRequestSpec } from '../../types/certificates.v1beta1.ts'

const stubPath = 'spec.stubPKCS10Request'
const keyPath = 'spec.pkixPublicKey'
const proofPath = 'spec.proofOfPossession'
const maxBytes = 10 * 1024

/**
 * What is wrong with the key of a request, and with the proof that its sender has the private half: a PKCS #10 request,
 * or, as before v1.36, the key and a signature of the pod's uid.
 */
export function validateRequestedKey(spec: PodCertificateRequestSpec): FieldError[] {
  const { stubPKCS10Request: stub = '', pkixPublicKey: key = '', proofOfPossession: proof = '' } = spec
  const sized = { [stubPath]: stub, [keyPath]: key, [proofPath]: proof }
  const tooLarge = Object.entries(sized).find(([, text]) => bytesOf(text).length > maxBytes)
  if (tooLarge !== undefined) return [tooLong(tooLarge[0], maxBytes)]
  if (stub !== '' && key === '' && proof === '') return validateStub(stub)
  if (stub === '' && key !== '' && proof !== '') return validateProof(spec, key, proof)
  const detail = 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'
  return [invalidWithoutValue('spec', detail)]
}

/** The key that a certificate is asked for; undefined where it cannot be read. */
export function requestedKey({ stubPKCS10Request, pkixPublicKey }: PodCertificateRequestSpec): KeyObject | undefined {
  return stubPKCS10Request ? keyOfStub(stubPKCS10Request) : keyOf(pkixPublicKey ?? '')
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, 'base64')
}

/** Reading verifies the signature too. */
function keyOfStub(stub: string): KeyObject | undefined {
  try {
    return parseSigningRequestDer(bytesOf(stub)).publicKey
  } catch {
    return undefined
  }
}

function keyOf(pkix: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: bytesOf(pkix), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function validateStub(stub: string): FieldError[] {
  const key = keyOfStub(stub)
  return key === undefined
    ? [invalidValue(stubPath, stub, 'must be a valid PKCS#10 CSR')]
    : validateKeyType(key, stubPath)
}

function validateProof({ podUID }: PodCertificateRequestSpec, pkix: string, proof: string): FieldError[] {
  const key = keyOf(pkix)
  if (key === undefined) return [invalidValue(keyPath, pkix, 'must be a valid PKIX-serialized public key')]
  const errors = validateKeyType(key, keyPath)
  if (errors.length > 0 || isProven(key, podUID, bytesOf(proof))) return errors
  return [invalidWithoutValue(proofPath, 'could not verify proof-of-possession signature')]
}

function isProven(key: KeyObject, uid: string, signature: Buffer): boolean {
  const data = Buffer.from(uid, 'utf8')
  if (key.asymmetricKeyType === 'ed25519') return verify(null, data, key, signature)
  if (key.asymmetricKeyType === 'ec') return verify('sha256', data, key, signature)
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants
  return verify('sha256', data, { key, padding, saltLength }, signature)
}

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

function validateKeyType(key: KeyObject, path: string): FieldError[] {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return []
    case 'ec':
      if (curves.has(namedCurve)) return []
      return [invalidValue(path, `curve ${namedCurve}`, 'elliptic public keys must use curve P256 or P384')]
    case 'rsa':
      if (modulusLength === 3072 || modulusLength === 4096) return []
      return [invalidValue(path, `${modulusLength}-bit modulus`, 'RSA keys must have modulus size 3072 or 4096')]
    default: {
      const detail = 'unknown public key type; supported types are Ed25519, ECDSA, and RSA'
      return [invalidWithoutValue(path, detail)]
    }
  }
}
