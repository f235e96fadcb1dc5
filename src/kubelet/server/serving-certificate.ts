import type { KeyPair } from '#lib/x509/certificate.ts'

/** The certificate of the kubelet's server: it may come late, and is replaced before it ends. */
export interface ServingCertificate {
  readonly current: KeyPair | undefined
  /** Calls with every pair that comes after this call. The returned function ends that. */
  listen(install: (pair: KeyPair) => void): () => void
}

/** One certificate for the life of the process. */
export function fixedCertificate(pair: KeyPair): ServingCertificate {
  return { current: pair, listen: () => () => undefined }
}
