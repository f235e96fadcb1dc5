import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { StatusError } from '#api/meta/status.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'

/** Where a kubelet serves. */
export interface KubeletAddress {
  readonly host: string
  readonly port: number
}

export interface KubeletRequest {
  readonly method: string
  /** With its query, percent-encoded. */
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

/** The kubelet agreed to leave HTTP. */
export interface KubeletUpgrade {
  readonly socket: Duplex
  readonly head: Buffer
  readonly response: IncomingMessage
}

/** How the API server reaches kubelets. Both reject with a `StatusError` when the kubelet cannot be reached. */
export interface KubeletDialer {
  request(address: KubeletAddress, request: KubeletRequest): Promise<IncomingMessage>
  /** Rejects with the kubelet's own answer as a `StatusError` when it does not upgrade. */
  upgrade(address: KubeletAddress, request: KubeletRequest): Promise<KubeletUpgrade>
  /** Drops the connections that are kept. */
  close(): void
}

export interface DialerOptions {
  readonly clock: Clock
  /** PEM: authority of kubelets' serving certificates; a kubelet that it did not sign is never talked to. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** How long a kubelet may take to accept a connection and answer. */
const answerTimeoutMs = 30_000
const socketsMax = 256
const errorTextMax = 8 * 1024

/** Reaches kubelets over HTTPS with a client certificate, keeping connections for plain requests. */
export function httpsKubeletDialer(options: DialerOptions): KubeletDialer {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax, maxFreeSockets: 16 })
  const tls = { ca: options.ca, cert: options.certificate, key: options.key, minVersion: 'TLSv1.2' } as const
  const send = (address: KubeletAddress, request: KubeletRequest, useAgent: boolean): Promise<Answer> =>
    answerOf({ ...tls, ...address, ...(useAgent && { agent }) }, request, options.clock)
  return {
    async request(address, request) {
      const { response } = await send(address, request, true)
      return response
    },
    async upgrade(address, request) {
      const { response, upgraded } = await send(address, request, false)
      if (upgraded === undefined) throw await errorOf(response)
      return { ...upgraded, response }
    },
    close: () => agent.destroy(),
  }
}

interface Answer {
  readonly response: IncomingMessage
  readonly upgraded?: { readonly socket: Duplex; readonly head: Buffer }
}

function answerOf(target: RequestOptions, request: KubeletRequest, clock: Clock): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { method, path, headers, signal } = request
  const outgoing = httpsRequest({ ...target, method, path, signal, ...(headers && { headers }) })
  const timer = clock.schedule(answerTimeoutMs, () => outgoing.destroy(new Error('the kubelet did not answer in time')))
  const settle = (answer: Answer): void => {
    timer.cancel()
    resolve(answer)
  }
  outgoing.on('response', (response) => settle({ response }))
  outgoing.on('upgrade', (response, socket, head) => settle({ response, upgraded: { socket, head } }))
  outgoing.on('error', (error) => {
    timer.cancel()
    reject(new StatusError('InternalError', `error dialing backend: ${error.message}`, { cause: error }))
  })
  outgoing.end(request.body)
  return promise
}

/** A kubelet's refusal as the client of the API server sees it; its text is cut at 8 KiB. */
export async function errorOf(response: IncomingMessage): Promise<StatusError> {
  const text = (await readText(response)).trim()
  const code = response.statusCode ?? 500
  if (code === 400) return new StatusError('BadRequest', text || 'Bad Request')
  if (code === 404) return new StatusError('NotFound', text || 'the server could not find the requested resource')
  if (code === 401 || code === 403)
    return new StatusError('InternalError', `the kubelet refused the API server: ${text}`)
  return new StatusError('InternalError', `Internal error occurred: ${text || `the kubelet answered ${code}`}`)
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > errorTextMax) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, errorTextMax)
}

const addressTypes = ['InternalIP', 'ExternalIP', 'Hostname'] as const

/** Where the node's kubelet listens, as the node says itself. Throws ServiceUnavailable for a node that says nothing. */
export function kubeletAddress(node: Node): KubeletAddress {
  const addresses = node.status?.addresses ?? []
  const host = addressTypes.map((type) => addresses.find((address) => address.type === type)?.address).find(Boolean)
  if (host === undefined) {
    throw new StatusError('ServiceUnavailable', `no preferred addresses found; known addresses: []`)
  }
  return { host, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250 }
}
