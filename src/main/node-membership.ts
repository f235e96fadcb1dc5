import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isNodeReady, nodeAddress } from '#api/core/v1/node-facts.ts'
import type { JoinToken } from '#api/core/v1/join-token.ts'
import { isStatusError } from '#api/meta/status.ts'
import { nodes } from '#api/types/resources.ts'
import { pkiDirectory } from '#apiserver/certificates/pki-directory.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport, type HttpsTransport, type HttpsTransportOptions } from '#client/https-transport.ts'
import { joinCluster, kubeletSubject, type Membership } from '#kubelet/join/join-cluster.ts'
import { clientFile, servingFile, type KeyFiles } from '#kubelet/join/key-files.ts'
import { KeptCertificate } from '#kubelet/join/kept-certificate.ts'
import { requestCertificate } from '#kubelet/join/request-certificate.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import { splitPair } from '#lib/x509/key-pair-text.ts'
import type { Effects } from './effects.ts'

export interface MembershipOptions {
  readonly server: string
  readonly token: JoinToken | undefined
  readonly nodeName: string
  readonly address: string
  readonly dataDir: string
  readonly effects: Effects
  /** Whether the certificate that the node shows to the server is left to end; default: it is renewed before. */
  readonly keepsClient?: boolean
}

/** A node's standing in a cluster whose server is elsewhere: a client, and certificates that are kept up. */
export interface NodeMembership {
  readonly client: Client
  readonly authority: string
  readonly serving: KeptCertificate
  /** Renews the certificates until `stop`. */
  start(): void
  stop(): Promise<void>
}

/** Joins the cluster, or goes on as the member that this machine is. Rejects with one sentence. */
export async function joinAsNode(options: MembershipOptions): Promise<NodeMembership> {
  const { server, nodeName, effects } = options
  const files = pkiDirectory(join(options.dataDir, 'pki'))
  if (files.read('ca.pem') !== undefined) {
    throw new Error(
      `${options.dataDir} holds the keys of a cluster of its own: choose another --data-dir for the agent`,
    )
  }
  const membership = await withShortClients(options, (connect) =>
    joinCluster({
      server,
      token: options.token,
      nodeName,
      files,
      clock: effects.clock,
      isTaken: (client) => otherNode(client, options),
      clients: {
        anonymous: () => connect({ insecureSkipTlsVerify: true }),
        withToken: (ca, bearer) => connect({ ca, token: () => bearer }),
        withCertificate: (ca, pair) => connect({ ca, ...pair }),
      },
    }),
  )
  return keepMembership(membership, files, options)
}

type Connect = (credentials: Partial<HttpsTransportOptions>) => Client

/** Connections of joining are few and short: all are closed when it is over. */
async function withShortClients<T>({ server, effects }: MembershipOptions, use: (connect: Connect) => Promise<T>) {
  const opened: HttpsTransport[] = []
  try {
    return await use((credentials) => {
      const transport = httpsTransport({ server, clock: effects.clock, requestTimeoutMs: 10_000, ...credentials })
      opened.push(transport)
      return createClient(transport)
    })
  } finally {
    for (const transport of opened) transport.close()
  }
}

/** A node that is ready at another address is another machine. One that is gone, or was here, may be taken up again. */
async function otherNode(client: Client, { nodeName, address }: MembershipOptions): Promise<string | undefined> {
  try {
    const node = await client.resource(nodes).get(nodeName)
    const theirs = nodeAddress(node)
    if (!isNodeReady(node) || theirs === address) return undefined
    return (
      `The cluster already has a node "${nodeName}", at ${theirs}. Choose another name with --node-name, ` +
      'or delete that node first'
    )
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined
    throw error
  }
}

function keepMembership(membership: Membership, files: KeyFiles, options: MembershipOptions): NodeMembership {
  const { effects, server, nodeName, address } = options
  const kept = { files, ...effects, log: effects.log.with({ component: 'certificates' }) }
  const signing = { clock: effects.clock, timeoutMs: 900_000 }
  const subject = kubeletSubject(nodeName)
  const own: KeptCertificate = new KeptCertificate({
    ...kept,
    fileName: clientFile,
    pair: membership.client,
    request: (signal) => {
      const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
      return requestCertificate({ ...signing, client, signerName, wanted: { subject }, signal })
    },
  })
  const transport = httpsTransport({
    server,
    ca: membership.authority,
    credentials: () => own.current ?? membership.client,
    clock: effects.clock,
    userAgent: 'coracle-agent',
  })
  const client = createClient(transport)
  const serving = new KeptCertificate({
    ...kept,
    fileName: servingFile,
    pair: keptServing(files, membership.authority, options),
    request: (signal) => {
      const names =
        isIP(address) === 0 ? { dnsNames: [nodeName, address] } : { dnsNames: [nodeName], ipAddresses: [address] }
      const wanted = { subject, ...names }
      return requestCertificate({ ...signing, client, signerName: 'kubernetes.io/kubelet-serving', wanted, signal })
    },
  })
  const stopping = new AbortController()
  let running: Promise<unknown> = Promise.resolve()
  return {
    client,
    authority: membership.authority,
    serving,
    start() {
      running = Promise.all([options.keepsClient !== true && own.run(stopping.signal), serving.run(stopping.signal)])
    },
    async stop() {
      stopping.abort(new Error('the node stops'))
      await running
      transport.close()
    },
  }
}

/** The serving certificate of an earlier run, unless the address or the authority has changed or it has ended. */
function keptServing(files: KeyFiles, authority: string, options: MembershipOptions): KeyPair | undefined {
  const pair = splitPair(files.read(servingFile) ?? '')
  if (pair === undefined) return undefined
  const certificate = new X509Certificate(pair.certificate)
  const isGood =
    certificate.verify(new X509Certificate(authority).publicKey) &&
    options.effects.clock.now() < certificate.validToDate.getTime() &&
    certificate.checkHost(options.nodeName) !== undefined &&
    certificate.checkIP(options.address) !== undefined
  return isGood ? pair : undefined
}
