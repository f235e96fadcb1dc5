import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { StatusError } from '#api/meta/status.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import { certificateSubject } from '#lib/x509/certificate.ts'
import type { Clock } from '#lib/clock.ts'
import { isSignedBy, readAuthorities, userOfHeaders, type FrontProxyTrust, type RawHeaders } from './front-proxy.ts'

/**
 * Tells the listener who is at the other end of a TLS connection: undefined without a client certificate. Throws
 * Unauthorized for one that the cluster's authority did not sign for clients, or that has expired since the handshake.
 * The listener must ask for certificates without refusing connections (`requestCert`, `rejectUnauthorized: false`).
 */
export type PeerIdentity = (socket: TLSSocket, headers: RawHeaders) => UserInfo | undefined

interface KnownPeer {
  /** Whom the certificate itself names; absent where it is none of a client. */
  readonly user?: UserInfo
  /** It may speak for others. */
  readonly isFrontProxy: boolean
  readonly notAfterMs: number
}

/** With proxies there are two kinds of authorities, and what one kind has signed is nothing to the other. */
export interface ProxiedPeers {
  /** PEM of the authorities of clients. */
  readonly clientCa: string
  readonly trust: FrontProxyTrust
}

const clientUsage = '1.3.6.1.5.5.7.3.2'

/** Remembers the answer for as long as the connection lives; expiry is checked on every call. */
export function peerIdentity(clock: Clock, proxied?: ProxiedPeers): PeerIdentity {
  const known = new WeakMap<TLSSocket, KnownPeer | 'none'>()
  const judge = proxied === undefined ? judgeClient : judgeWithProxies(proxied)
  return (socket, headers) => {
    const peer = known.get(socket) ?? readPeer(socket, judge)
    known.set(socket, peer)
    if (peer === 'none') return undefined
    if (clock.now() > peer.notAfterMs) throw unauthorized()
    const spokenFor = peer.isFrontProxy && proxied !== undefined ? userOfHeaders(headers, proxied.trust) : undefined
    const user = spokenFor ?? peer.user
    if (user === undefined) throw unauthorized()
    return user
  }
}

function unauthorized(): StatusError {
  return new StatusError('Unauthorized', 'Unauthorized')
}

/** What a certificate makes of its holder, once TLS has verified it. */
type Judge = (certificate: X509Certificate) => Omit<KnownPeer, 'notAfterMs'>

function readPeer(socket: TLSSocket, judge: Judge): KnownPeer | 'none' {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return 'none'
  if (!socket.authorized || !certificate.keyUsage?.includes(clientUsage)) throw unauthorized()
  return { ...judge(certificate), notAfterMs: certificate.validToDate.getTime() }
}

const judgeClient: Judge = ({ raw }) => ({ user: userOfCertificate(raw), isFrontProxy: false })

function judgeWithProxies({ clientCa, trust }: ProxiedPeers): Judge {
  const ofClients = readAuthorities(clientCa)
  const ofProxies = readAuthorities(trust.ca)
  return (certificate) => {
    const isProxy = isSignedBy(certificate, ofProxies) && isAllowed(certificate.raw, trust.allowedNames)
    const isClient = isSignedBy(certificate, ofClients)
    return { isFrontProxy: isProxy, ...(isClient && { user: userOfCertificate(certificate.raw) }) }
  }
}

function isAllowed(der: Buffer, allowedNames: readonly string[]): boolean {
  return allowedNames.length === 0 || allowedNames.includes(certificateSubject(der).commonName)
}

/** The user that a client certificate names: CN is the name, each O a group. */
function userOfCertificate(der: Buffer): UserInfo {
  const subject = certificateSubject(der)
  const hash = createHash('sha256').update(der).digest('hex')
  return {
    name: subject.commonName,
    groups: subject.organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash}`] },
  }
}

/** The same from PEM, for in-process users that act under a certificate's name. */
export function userOfCertificatePem(pem: string): UserInfo {
  return userOfCertificate(new X509Certificate(pem).raw)
}
