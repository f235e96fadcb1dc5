import { configMaps } from '#api/types/resources.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import { decodePem, encodePem } from '#lib/x509/pem.ts'
import { publicKeyHash } from '#lib/x509/public-key-hash.ts'

/**
 * Asks the server for the cluster's authority and answers the one certificate whose public key has the hash. `client`
 * need not have verified the server, and must not have sent it a secret: only the hash is believed. Throws one sentence.
 */
export async function findAuthority(client: Client, server: string, authorityHash: string): Promise<string> {
  const published = await publishedAuthorities(client, server)
  const found = published.find((certificate) => hashOf(certificate) === authorityHash)
  if (found !== undefined) return found
  throw new Error(
    `The server at ${server} is not the one the token was made for: its certificate authority has another key. ` +
      'Make sure of the address, and make a new token there with "coracle token create"',
  )
}

async function publishedAuthorities(client: Client, server: string): Promise<readonly string[]> {
  try {
    const info = await client.resource(configMaps, 'kube-public').get('cluster-info')
    // Only a machine that joins needs to read one.
    const { clusterIn } = await import('#client/kubeconfig.ts')
    const text = clusterIn(info.data?.['kubeconfig'] ?? '{}')?.ca ?? ''
    return decodePem(text).map(({ label, der }) => encodePem(label, der))
  } catch (error) {
    if (!isStatusError(error)) throw error
    const what = 'does not publish kube-public/cluster-info, which machines need to join'
    throw new Error(`The server at ${server} ${what} (${error.message})`, { cause: error })
  }
}

function hashOf(certificate: string): string | undefined {
  try {
    return publicKeyHash(certificate)
  } catch {
    return undefined
  }
}
