import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto'

/** Why a certificate and its key would be of no use to a server. */
export function keyPairWarnings(data: Readonly<Record<string, string>>): readonly string[] {
  const certificates = pemBlocks(data['tls.crt'])
  const keys = pemBlocks(data['tls.key'])
  const problem = certificateProblem(certificates) ?? keyProblem(keys) ?? pairProblem(certificates, keys)
  return problem === undefined ? [] : [problem]
}

interface PemBlock {
  readonly type: string
  readonly text: string
}

function pemBlocks(encoded: string | undefined): readonly PemBlock[] {
  const text = Buffer.from(encoded ?? '', 'base64').toString('latin1')
  const blocks = text.matchAll(/-----BEGIN ([^\n-]+)-----\r?\n[A-Za-z0-9+/=\r\n: ,.-]*?-----END \1-----/g)
  return [...blocks].map(([whole, type = '']) => ({ type, text: whole }))
}

function isKey({ type }: PemBlock): boolean {
  return type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY')
}

function certificateProblem(blocks: readonly PemBlock[]): string | undefined {
  if (blocks.some(({ type }) => type === 'CERTIFICATE')) return undefined
  const [only, ...others] = blocks
  if (only === undefined) return 'tls: failed to find any PEM data in certificate input'
  if (others.length === 0 && only.type.endsWith('PRIVATE KEY')) {
    const switched = 'but did find a private key; PEM inputs may have been switched'
    return `tls: failed to find certificate PEM data in certificate input, ${switched}`
  }
  const skipped = `after skipping PEM blocks of the following types: [${blocks.map(({ type }) => type).join(' ')}]`
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input ${skipped}`
}

function keyProblem(blocks: readonly PemBlock[]): string | undefined {
  if (blocks.some(isKey)) return undefined
  const [only, ...others] = blocks
  if (only === undefined) return 'tls: failed to find any PEM data in key input'
  if (others.length === 0 && only.type === 'CERTIFICATE') {
    return 'tls: found a certificate rather than a key in the PEM for the private key'
  }
  const skipped = `after skipping PEM blocks of the following types: [${blocks.map(({ type }) => type).join(' ')}]`
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input ${skipped}`
}

/** The first certificate is the server's own. */
function pairProblem(certificates: readonly PemBlock[], keys: readonly PemBlock[]): string | undefined {
  const certificate = readOr(() => new X509Certificate(blockOf(certificates, ({ type }) => type === 'CERTIFICATE')))
  if (certificate === undefined) return 'x509: malformed certificate'
  const key = readOr(() => createPrivateKey(blockOf(keys, isKey)))
  if (key === undefined) return 'tls: failed to parse private key'
  const own = createPublicKey(key)
  if (own.asymmetricKeyType !== certificate.publicKey.asymmetricKeyType) {
    return 'tls: private key type does not match public key type'
  }
  return certificate.publicKey.equals(own) ? undefined : 'tls: private key does not match public key'
}

function blockOf(blocks: readonly PemBlock[], wanted: (block: PemBlock) => boolean): string {
  return blocks.find(wanted)?.text ?? ''
}

function readOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
