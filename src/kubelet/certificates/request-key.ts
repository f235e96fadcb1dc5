import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { signingRequestDer } from '#lib/x509/create-signing-request.ts'

/** A new key, and the request that proves who has it. */
export interface RequestKey {
  /** PEM, PKCS #8. */
  readonly privateKey: string
  /** A PKCS #10 request that names nobody, DER in base64. */
  readonly stubRequest: string
}

const generate = promisify(generateKeyPair)

/** The kinds of keys that pods may ask for; those of RSA take their time, on a thread of their own. */
const generators: Readonly<Record<string, () => Promise<{ readonly privateKey: KeyObject }>>> = {
  RSA3072: () => generate('rsa', { modulusLength: 3072 }),
  RSA4096: () => generate('rsa', { modulusLength: 4096 }),
  ECDSAP256: () => generate('ec', { namedCurve: 'P-256' }),
  ECDSAP384: () => generate('ec', { namedCurve: 'P-384' }),
  ECDSAP521: () => generate('ec', { namedCurve: 'P-521' }),
  ED25519: () => generate('ed25519'),
}

/** Makes a key of the type that a projected volume names. */
export async function generateRequestKey(keyType: string): Promise<RequestKey> {
  const make = Object.hasOwn(generators, keyType) ? generators[keyType] : undefined
  if (make === undefined) throw new Error(`while generating keypair: unknown key type "${keyType}"`)
  const { privateKey } = await make()
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    stubRequest: signingRequestDer({ subject: { commonName: '' } }, privateKey).toString('base64'),
  }
}
