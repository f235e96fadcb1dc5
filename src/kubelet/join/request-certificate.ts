import { isStatusError } from '#api/meta/status.ts'
import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { certificateSigningRequests } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { ConnectionError } from '#client/connection-error.ts'
import type { Clock } from '#lib/clock.ts'
import { isMatchingPair, type KeyPair } from '#lib/x509/certificate.ts'
import { createSigningRequest, type RequestedCertificate } from '#lib/x509/create-signing-request.ts'
import { newPrivateKey } from '#lib/x509/key-pair-text.ts'

export interface CertificateOptions {
  readonly client: Client
  readonly clock: Clock
  readonly signerName: 'kubernetes.io/kube-apiserver-client-kubelet' | 'kubernetes.io/kubelet-serving'
  readonly wanted: RequestedCertificate
  /** How long to wait for the signature. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

const usages = {
  'kubernetes.io/kube-apiserver-client-kubelet': ['digital signature', 'client auth'],
  'kubernetes.io/kubelet-serving': ['digital signature', 'server auth'],
} as const

/**
 * Makes a key, asks the cluster to certify it and waits for the answer. The key does not leave this process. Rejects
 * with one sentence when the request is denied, fails, or is not signed in time.
 */
export async function requestCertificate(options: CertificateOptions): Promise<KeyPair> {
  const { client, signerName, wanted, signal } = options
  const key = newPrivateKey()
  const pem = createSigningRequest(wanted, key)
  const created = await client.resource(certificateSigningRequests).create(
    {
      metadata: { generateName: 'node-csr-' },
      spec: { request: Buffer.from(pem).toString('base64'), signerName, usages: usages[signerName] },
    },
    signal === undefined ? {} : { signal },
  )
  const certificate = await signature(created, options)
  const pair = { certificate, key }
  if (!isMatchingPair(pair))
    throw new Error(`The cluster answered ${nameOf(created)} with a certificate of another key`)
  return pair
}

async function signature(created: CertificateSigningRequest, options: CertificateOptions): Promise<string> {
  const { clock, timeoutMs, signal: outer } = options
  const late = new AbortController()
  const timer = clock.schedule(timeoutMs, () => late.abort())
  const signal = outer === undefined ? late.signal : AbortSignal.any([outer, late.signal])
  try {
    for (let seen = created; !signal.aborted;) {
      const certificate = outcome(seen)
      if (certificate !== undefined) return certificate
      seen = await nextVersion(seen, options.client, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    timer.cancel()
  }
  outer?.throwIfAborted()
  throw new Error(
    `The cluster has not signed ${nameOf(created)} within ${timeoutMs / 1_000} s. ` +
      `Look at it with "kubectl get csr", and approve it with "kubectl certificate approve ${created.metadata.name}"`,
  )
}

/** The certificate once it is there. Throws when there will be none. */
function outcome(request: CertificateSigningRequest): string | undefined {
  const { status } = request
  const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed')
  if (refused !== undefined) {
    const why = refused.message ?? refused.reason ?? ''
    const verb = refused.type === 'Denied' ? 'was denied' : 'could not be signed'
    throw new Error(`The ${nameOf(request)} ${verb}${why === '' ? '' : `: ${why}`}`)
  }
  return status?.certificate ? Buffer.from(status.certificate, 'base64').toString('utf8') : undefined
}

/** Waits for the next change of the request. A watch that ends or breaks is no failure: it is read and watched anew. */
async function nextVersion(
  seen: CertificateSigningRequest,
  client: Client,
  signal: AbortSignal,
): Promise<CertificateSigningRequest> {
  const { name, resourceVersion } = seen.metadata
  const collection = client.resource(certificateSigningRequests)
  const fieldSelector = `metadata.name=${name}`
  try {
    for await (const event of collection.watch({ fieldSelector, resourceVersion, signal })) {
      if (event.type === 'MODIFIED' || event.type === 'ADDED') return event.object
      if (event.type === 'DELETED') throw new Error(`The ${nameOf(seen)} was deleted before it was signed`)
    }
  } catch (error) {
    if (!(error instanceof ConnectionError) && !isStatusError(error)) throw error
  }
  signal.throwIfAborted()
  return collection.get(name, { signal })
}

function nameOf({ metadata, spec }: CertificateSigningRequest): string {
  const what = spec.signerName === 'kubernetes.io/kubelet-serving' ? 'serving' : 'client'
  return `request for this node's ${what} certificate (${metadata.name})`
}
