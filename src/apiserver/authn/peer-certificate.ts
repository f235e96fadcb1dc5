import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { StatusError } from '#api/meta/status.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import { certificateSubject } from '#lib/x509/certificate.ts'
import type { Clock } from '#lib/clock.ts'

/**
 * Tells the listener who is at the other end of a TLS connection: undefined without a client certificate. Throws
 * Unauthorized for one that the cluster's authority did not sign for clients, or that has expired since the handshake.
 * The listener must ask for certificates without refusing connections (`requestCert`, `rejectUnauthorized: false`).
 */
export type PeerIdentity = (socket: TLSSocket) => UserInfo | undefined

interface KnownPeer {
  readonly user: UserInfo
  readonly notAfterMs: number
}

const clientUsage = '1.3.6.1.5.5.7.3.2'

/** Remembers the answer for as long as the connection lives; expiry is checked on every call. */
export function peerIdentity(clock: Clock): PeerIdentity {
  const known = new WeakMap<TLSSocket, KnownPeer | 'none'>()
  return (socket) => {
    const peer = known.get(socket) ?? readPeer(socket)
    known.set(socket, peer)
    if (peer === 'none') return undefined
    if (clock.now() > peer.notAfterMs) throw new StatusError('Unauthorized', 'Unauthorized')
    return peer.user
  }
}

function readPeer(socket: TLSSocket): KnownPeer | 'none' {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return 'none'
  if (!socket.authorized || !certificate.keyUsage?.includes(clientUsage))
    throw new StatusError('Unauthorized', 'Unauthorized')
  return { user: userOfCertificate(certificate.raw), notAfterMs: certificate.validToDate.getTime() }
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
