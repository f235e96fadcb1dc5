import { createHash, createPublicKey } from 'node:crypto'
import type { Pki } from '#apiserver/certificates/pki.ts'
import { publicKeyHash } from '#lib/x509/public-key-hash.ts'
import { ConflictError, type Store } from '#storage/store.ts'

/** Beside the API's objects, which lie below `/registry/`: no request can reach it. */
const key = '/coracle/keys'

/**
 * Makes sure that all servers over one store have the same authority and the same key for service-account tokens: the
 * first leaves the hashes of their public halves there, the others compare. Private keys never enter the store.
 * Throws an Error that says what to copy.
 */
export async function confirmSharedKeys(store: Store, pki: Pki, dataDir: string): Promise<void> {
  const own = fingerprints(pki)
  const theirs = (await store.get(key))?.value ?? (await leave(store, own))
  if (theirs === undefined || Buffer.from(theirs).toString() === own) return
  throw new Error(
    `The keys in ${dataDir}/pki are not those of the cluster in etcd: copy ca.pem and service-account.key from the ` +
      `pki folder of a server that runs into ${dataDir}/pki, with mode 0600, and start again`,
  )
}

/** What another server has left meanwhile, if one was faster. */
async function leave(store: Store, own: string): Promise<Uint8Array | undefined> {
  try {
    await store.commit([{ key, value: Buffer.from(own), ifRevision: 0 }])
    return undefined
  } catch (error) {
    if (error instanceof ConflictError) return error.current?.value
    throw error
  }
}

function fingerprints({ ca, serviceAccountKey }: Pki): string {
  const tokenKey = createPublicKey(serviceAccountKey.publicKey).export({ type: 'spki', format: 'der' })
  return JSON.stringify({
    authority: publicKeyHash(ca.certificate),
    serviceAccountKey: createHash('sha256').update(tokenKey).digest('hex'),
  })
}
