import { X509Certificate } from 'node:crypto'
import type { UserInfo } from '#api/meta/exchange.ts'

/** Who may speak for others, and in which headers (Kubernetes docs, "Authenticating Proxy"). */
export interface FrontProxyTrust {
  /** PEM of the authorities that sign the certificates of proxies. */
  readonly ca: string
  /** Common names of proxies; none: whoever those authorities certify. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraPrefixes: readonly string[]
}

/** Names and values in turn, as Node gives them: a header may stand there several times. */
export type RawHeaders = readonly string[]

/** The user whom a proxy speaks for; undefined where it names none. */
export function userOfHeaders(headers: RawHeaders, trust: FrontProxyTrust): UserInfo | undefined {
  const all = pairsOf(headers)
  const name = firstOf(all, trust.usernameHeaders)
  if (name === '') return undefined
  const uid = firstOf(all, trust.uidHeaders)
  const groups = trust.groupHeaders.flatMap((header) => valuesOf(all, header))
  const extra = extraOf(all, trust.extraPrefixes)
  return { name, groups, ...(uid !== '' && { uid }), ...(Object.keys(extra).length > 0 && { extra }) }
}

type Pairs = readonly (readonly [name: string, value: string])[]

function pairsOf(headers: RawHeaders): Pairs {
  return Array.from({ length: headers.length / 2 }, (_, index) => [
    (headers[index * 2] ?? '').toLowerCase(),
    headers[index * 2 + 1] ?? '',
  ])
}

function valuesOf(pairs: Pairs, header: string): string[] {
  const wanted = header.toLowerCase()
  return pairs.filter(([name]) => name === wanted).map(([, value]) => value)
}

function firstOf(pairs: Pairs, headers: readonly string[]): string {
  return headers.map((header) => valuesOf(pairs, header)[0] ?? '').find((value) => value !== '') ?? ''
}

function extraOf(pairs: Pairs, prefixes: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const prefix of prefixes.map((each) => each.toLowerCase())) {
    for (const [name, value] of pairs) {
      if (!name.startsWith(prefix) || name.length === prefix.length) continue
      const key = unescaped(name.slice(prefix.length))
      extra[key] = [...(extra[key] ?? []), value]
    }
  }
  return { ...extra }
}

/** Keys stand percent-encoded where a header's name could not hold them. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

const longestChain = 8

/** Whether one of the authorities signed the certificate, or one that came with it and leads to them. */
export function isSignedBy(certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let link: X509Certificate | undefined = certificate
  for (let depth = 0; link !== undefined && depth < longestChain; depth++) {
    const last: X509Certificate = link
    if (authorities.some((authority) => isIssuer(authority, last))) return true
    const next: X509Certificate | undefined = last.issuerCertificate
    link = next !== undefined && next.ca && isIssuer(next, last) ? next : undefined
  }
  return false
}

function isIssuer(authority: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

/** The certificates of a PEM bundle. */
export function readAuthorities(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}
