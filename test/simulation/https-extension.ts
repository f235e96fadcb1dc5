import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { newAuthority, newLeaf } from '#apiserver/certificates/certificate-authority.ts'
import { systemClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'

/** A real HTTPS server on loopback, outside the cluster: a webhook or an extension API server. */
export interface HttpsExtension {
  readonly url: string
  readonly port: number
  readonly server: Server
  /** PEM of the authority that signed for it, and the same as a `caBundle`. */
  readonly ca: string
  readonly caBundle: string
}

export interface ExtensionCall {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ExtensionAnswer {
  readonly status?: number
  readonly body: unknown
}

const tools = { clock: systemClock, random: seededRandom(5) }

/** Starts one; `names` beside `localhost` are those of Services. `clientCa`: asks callers for a certificate. */
export async function httpsExtension(
  t: TestContext,
  answer: (call: ExtensionCall) => ExtensionAnswer | Promise<ExtensionAnswer>,
  { names = [], clientCa }: { readonly names?: readonly string[]; readonly clientCa?: string } = {},
): Promise<HttpsExtension> {
  const authority: KeyPair = newAuthority('extension', tools)
  const leaf = newLeaf(
    {
      subject: { commonName: 'extension', organizations: [] },
      usages: ['serverAuth'],
      dnsNames: ['localhost', ...names],
      ipAddresses: ['127.0.0.1'],
    },
    authority,
    tools,
  )
  const asksClients = clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }
  const server = createServer({ cert: leaf.certificate, key: leaf.key, ...asksClients }, (incoming, outgoing) => {
    void respond(incoming, answer).then(({ status = 200, body }) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' })
      outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ca = authority.certificate
  const caBundle = Buffer.from(ca).toString('base64')
  return { url: `https://127.0.0.1:${port}`, port, server, ca, caBundle }
}

async function respond(
  incoming: IncomingMessage,
  answer: (call: ExtensionCall) => ExtensionAnswer | Promise<ExtensionAnswer>,
): Promise<ExtensionAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const { method = '', url = '', headers } = incoming
  try {
    return await answer({ method, path: url, headers, body: Buffer.concat(chunks).toString() })
  } catch (error) {
    return { status: 500, body: (error as Error).message }
  }
}

/** What a webhook of admission or conversion is asked, and how it answers: the envelope of a review around `response`. */
export function reviewing(
  respondTo: (request: ReviewRequest, call: ExtensionCall) => object | Promise<object>,
): (call: ExtensionCall) => Promise<ExtensionAnswer> {
  return async (call) => {
    const { kind, apiVersion, request } = JSON.parse(call.body) as Review
    const response = { uid: request.uid, ...(await respondTo(request, call)) }
    return { body: { kind, apiVersion, response } }
  }
}

interface Review {
  readonly kind: string
  readonly apiVersion: string
  readonly request: ReviewRequest
}

export interface ReviewRequest {
  readonly uid: string
  readonly operation: string
  readonly name?: string
  readonly subResource?: string
  readonly kind: { readonly kind: string; readonly version: string }
  readonly resource: { readonly resource: string; readonly version: string }
  readonly requestResource: { readonly resource: string; readonly version: string }
  readonly object: ReviewedObject
  readonly oldObject: ReviewedObject
  readonly dryRun: boolean
  readonly desiredAPIVersion: string
  readonly objects: readonly ReviewedObject[]
}

export interface ReviewedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}
