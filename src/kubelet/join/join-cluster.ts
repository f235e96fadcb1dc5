import { X509Certificate } from 'node:crypto'
import type { JoinToken } from '#api/core/v1/join-token.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import { certificateSubject, type KeyPair } from '#lib/x509/certificate.ts'
import { joinPair, splitPair } from '#lib/x509/key-pair-text.ts'
import { publicKeyHash } from '#lib/x509/public-key-hash.ts'
import { findAuthority } from './find-authority.ts'
import { authorityFile, clientFile, type KeyFiles } from './key-files.ts'
import { requestCertificate } from './request-certificate.ts'

/** Makes clients of the one server, with the credentials that each step of joining has. */
export interface JoinClients {
  /** Does not verify the server and sends no credential. */
  anonymous(): Client
  withToken(authority: string, bearer: string): Client
  withCertificate(authority: string, pair: KeyPair): Client
}

export interface JoinOptions {
  /** For messages. */
  readonly server: string
  readonly clients: JoinClients
  /** Absent: the machine must have joined before. */
  readonly token: JoinToken | undefined
  readonly nodeName: string
  /** Whether a node of that name is there already that is not this machine; answers what to say about it. */
  readonly isTaken: (client: Client) => Promise<string | undefined>
  readonly files: KeyFiles
  readonly clock: Clock
}

/** What a machine that has joined holds. */
export interface Membership {
  /** PEM of the cluster's authority. */
  readonly authority: string
  readonly client: KeyPair
}

/** How long a joining machine waits for its certificate: signing takes well below a second. */
const signatureTimeoutMs = 30_000

/**
 * Uses the membership that this machine has kept, or joins the cluster with the token: pins the authority by the
 * token's hash, makes a key and has it certified (documentation page "TLS bootstrapping"). Throws one sentence for each
 * way in which this can fail.
 */
export async function joinCluster(options: JoinOptions): Promise<Membership> {
  const kept = keptMembership(options)
  if (kept !== undefined) return kept
  const { token, server, clients, files } = options
  if (token === undefined) {
    throw new Error(
      'This machine has not joined the cluster yet: --token is needed. Print one on the server with "coracle token create"',
    )
  }
  const authority = await findAuthority(clients.anonymous(), server, token.authorityHash)
  const client = await firstCertificate(clients.withToken(authority, token.bearer), options)
  const membership = { authority, client }
  const taken = await options.isTaken(clients.withCertificate(authority, client))
  if (taken !== undefined) throw new Error(taken)
  files.write(authorityFile, authority)
  files.write(clientFile, joinPair(client))
  return membership
}

/** What a kubelet's client certificate says. */
export function kubeletSubject(nodeName: string): { commonName: string; organizations: string[] } {
  return { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] }
}

async function firstCertificate(client: Client, { clock, nodeName }: JoinOptions): Promise<KeyPair> {
  try {
    return await requestCertificate({
      client,
      clock,
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      wanted: { subject: kubeletSubject(nodeName) },
      timeoutMs: signatureTimeoutMs,
    })
  } catch (error) {
    if (!isStatusError(error, 'Unauthorized')) throw error
    throw new Error(
      'The server does not accept the token: it is wrong, or has expired. Print a new one with "coracle token create"',
      { cause: error },
    )
  }
}

/** Undefined where the machine has to join first. Throws where what is kept belongs to another cluster or name. */
function keptMembership({ files, token, nodeName, clock }: JoinOptions): Membership | undefined {
  const authority = files.read(authorityFile)
  const client = splitPair(files.read(clientFile) ?? '')
  if (authority === undefined || client === undefined) return undefined
  if (token !== undefined && token.authorityHash !== publicKeyHash(authority)) {
    throw new Error('This machine has joined another cluster than the one of the token. Leave that with "coracle down"')
  }
  const certificate = new X509Certificate(client.certificate)
  if (!certificate.verify(new X509Certificate(authority).publicKey)) return undefined
  const { commonName } = certificateSubject(certificate.raw)
  if (commonName !== kubeletSubject(nodeName).commonName) {
    const former = commonName.replace('system:node:', '')
    throw new Error(`This machine has joined as node "${former}". To rename it, run "coracle down" and join again`)
  }
  if (clock.now() < certificate.validToDate.getTime()) return { authority, client }
  if (token !== undefined) return undefined
  const ended = certificate.validToDate.toISOString()
  throw new Error(`The certificate of this machine ended on ${ended}: it needs a new --token to join again`)
}
