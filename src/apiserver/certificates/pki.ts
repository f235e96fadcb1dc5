import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { KeyPair } from '#lib/x509/certificate.ts'
import { joinPair, newPrivateKey, renewAtMs, splitPair } from '#lib/x509/key-pair-text.ts'
import {
  isUsable,
  newAuthority,
  newLeaf,
  publicKeyOf,
  type CertificateTools,
  type LeafRequest,
} from './certificate-authority.ts'
import { memoryPkiDirectory, pkiDirectory, type PkiDirectory } from './pki-directory.ts'

export interface PkiOptions extends CertificateTools {
  /** DNS names and IP addresses of the API server beyond localhost and the `kubernetes` Service. */
  readonly names: readonly string[]
  readonly ips: readonly string[]
  /** First address of the service range. Default 10.96.0.1. */
  readonly serviceIp?: string
}

/** Every key and certificate of a control plane. All texts are PEM. */
export interface Pki {
  /** Signs every certificate of the cluster; its certificate is what clients trust. */
  readonly ca: KeyPair
  /** The API server's certificate. */
  readonly serving: KeyPair
  /** Signs service-account tokens (ES256): private and public half. */
  readonly serviceAccountKey: { readonly privateKey: string; readonly publicKey: string }
  readonly admin: KeyPair
  /** How the API server presents itself to kubelets. */
  readonly kubeletClient: KeyPair
  /** How the API server tells extension API servers who asks; its authority signs for nobody else. */
  readonly frontProxy: { readonly authority: KeyPair; readonly client: KeyPair }
  /** A node's client certificate (`system:node:NAME`), kept in the directory and reused until near its end. */
  node(name: string): KeyPair
  /** The kubelet's own HTTPS certificate, for the node's name and addresses, kept likewise. */
  kubeletServing(name: string, addresses: readonly string[]): KeyPair
  /** A certificate for any other user; not kept. */
  issueClient(name: string, groups: readonly string[]): KeyPair
  /** When the first of the certificates held here should be renewed: load again then. */
  readonly renewAtMs: number
}

/**
 * Loads the keys and certificates under `<dataDir>/pki`, making what is missing, near its end, or does not name all of
 * `names` and `ips`; without a directory everything lives in memory. A damaged certificate is made anew; a damaged
 * authority or token key is an error, because replacing it silently would lock everybody out. Throws an Error whose
 * message says which file or directory is at fault.
 */
export function loadOrCreatePki(dataDir: string | undefined, options: PkiOptions): Pki {
  const files = dataDir === undefined ? memoryPkiDirectory() : pkiDirectory(join(dataDir, 'pki'))
  const where = dataDir === undefined ? 'memory' : join(dataDir, 'pki')
  const ca = loadAuthority(files, options, where, { file: 'ca', name: 'kubernetes' })
  const frontProxyCa = loadAuthority(files, options, where, { file: 'front-proxy-ca', name: 'front-proxy-ca' })
  const frontProxyClient = loadLeaf(
    files,
    'front-proxy-client.pem',
    client('front-proxy-client'),
    frontProxyCa,
    options,
  )
  const keep = (name: string, leaf: LeafRequest): KeyPair => loadLeaf(files, name, leaf, ca, options)
  const serving = keep('apiserver.pem', servingRequest(options))
  const clients = {
    admin: keep('admin.pem', client('kubernetes-admin', ['system:masters'])),
    kubeletClient: keep('apiserver-kubelet-client.pem', client('kube-apiserver-kubelet-client', ['system:masters'])),
  }
  const pairs = [ca, serving, frontProxyCa, frontProxyClient, ...Object.values(clients)]
  return {
    ca,
    serving,
    frontProxy: { authority: frontProxyCa, client: frontProxyClient },
    ...clients,
    serviceAccountKey: loadServiceAccountKey(files, where),
    node: (name) => keep(`node-${fileNameOf(name)}.pem`, client(`system:node:${name}`, ['system:nodes'])),
    kubeletServing: (name, addresses) => keep(`kubelet-${fileNameOf(name)}.pem`, kubeletRequest(name, addresses)),
    issueClient: (name, groups) => newLeaf(client(name, groups), ca, options),
    renewAtMs: Math.min(...pairs.map((pair) => renewAtMs(pair.certificate))),
  }
}

function loadAuthority(
  files: PkiDirectory,
  tools: CertificateTools,
  where: string,
  { file, name }: { readonly file: string; readonly name: string },
): KeyPair {
  const text = files.read(`${file}.pem`)
  const kept = text === undefined ? undefined : splitPair(text)
  if (text !== undefined && kept === undefined) {
    throw new Error(
      `Cannot use the cluster's certificate authority: ${where}/${file}.pem is damaged; restore it from a backup`,
    )
  }
  const ca = kept ?? newAuthority(name, tools)
  if (kept === undefined) files.write(`${file}.pem`, joinPair(ca))
  if (files.read(`${file}.crt`) !== ca.certificate) files.write(`${file}.crt`, ca.certificate)
  return ca
}

function loadServiceAccountKey(files: PkiDirectory, where: string): Pki['serviceAccountKey'] {
  const kept = files.read('service-account.key')
  const privateKey = kept ?? newPrivateKey()
  if (kept === undefined) files.write('service-account.key', privateKey)
  try {
    if (createPrivateKey(privateKey).asymmetricKeyDetails?.namedCurve === 'prime256v1') {
      return { privateKey, publicKey: publicKeyOf(privateKey) }
    }
  } catch {
    // Said below, without the parser's text: it may quote the key.
  }
  throw new Error(`Cannot use the key for service-account tokens: ${where}/service-account.key is not an EC P-256 key`)
}

function loadLeaf(files: PkiDirectory, name: string, leaf: LeafRequest, ca: KeyPair, tools: CertificateTools): KeyPair {
  const text = files.read(name)
  const kept = text === undefined ? undefined : splitPair(text)
  if (kept !== undefined && isUsable(kept, leaf, ca, tools.clock.now())) return kept
  const made = newLeaf(leaf, ca, tools)
  files.write(name, joinPair(made), 'renewable')
  return made
}

function client(commonName: string, organizations: readonly string[] = []): LeafRequest {
  return { subject: { commonName, organizations }, usages: ['clientAuth'] }
}

function servingRequest(options: PkiOptions): LeafRequest {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  const ips = ['127.0.0.1', '::1', options.serviceIp ?? '10.96.0.1', ...options.ips]
  return {
    subject: { commonName: 'kube-apiserver' },
    usages: ['serverAuth'],
    dnsNames: [...new Set(['localhost', ...service, ...options.names])],
    ipAddresses: [...new Set(ips)],
  }
}

function kubeletRequest(name: string, addresses: readonly string[]): LeafRequest {
  return {
    subject: { commonName: `system:node:${name}`, organizations: ['system:nodes'] },
    usages: ['serverAuth'],
    dnsNames: [...new Set([name, ...addresses.filter((address) => isIP(address) === 0)])],
    ipAddresses: [...new Set(addresses.filter((address) => isIP(address) !== 0))],
  }
}

/** Node names are DNS subdomains; anything else must not reach the file system. */
function fileNameOf(nodeName: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(nodeName))
    throw new RangeError(`Cannot use "${nodeName}" as a node name`)
  return nodeName
}
