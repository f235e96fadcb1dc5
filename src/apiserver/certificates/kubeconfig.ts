import type { KeyPair } from '#lib/x509/certificate.ts'
import { writeFileAtomically } from './pki-directory.ts'

export interface KubeconfigOptions {
  /** `https://host:port` */
  readonly server: string
  /** PEM of the authority that signs the server's certificate. */
  readonly caCertificate: string
  readonly client: KeyPair
  readonly clusterName?: string
  readonly userName?: string
}

/** The text of a kubeconfig with everything embedded, as `kubectl` reads it. */
export function kubeconfig(options: KubeconfigOptions): string {
  const cluster = JSON.stringify(options.clusterName ?? 'coracle')
  const user = JSON.stringify(options.userName ?? 'kubernetes-admin')
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${JSON.stringify(options.server)}
    certificate-authority-data: ${base64(options.caCertificate)}
users:
- name: ${user}
  user:
    client-certificate-data: ${base64(options.client.certificate)}
    client-key-data: ${base64(options.client.key)}
contexts:
- name: ${cluster}
  context:
    cluster: ${cluster}
    user: ${user}
current-context: ${cluster}
preferences: {}
`
}

/** Writes a kubeconfig atomically with mode 0600. Throws an Error that names the path. */
export function writeKubeconfig(path: string, options: KubeconfigOptions): void {
  writeFileAtomically(path, kubeconfig(options), 'renewable')
}
