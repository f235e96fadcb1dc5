import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { dialMessage } from '#lib/dial-error.ts'

/** Where a webhook listens. */
export interface WebhookTarget {
  readonly url: URL
  /** The URL as messages show it: with the port that its author gave. */
  readonly shown: string
  /** The address to connect to, where it is not the URL's own: that of a Service. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  /** PEM of the authorities to trust; absent: those of the machine. */
  readonly ca: string | undefined
}

/** Posts a JSON body and answers the JSON that comes back. Rejects when the webhook cannot be reached or takes too long. */
export type WebhookCaller = (target: WebhookTarget, body: string, timeoutMs: number) => Promise<unknown>

const maxAnswerBytes = 3 * 1_024 * 1_024
const httpsPort = 443

/** Calls webhooks over HTTPS. */
export function httpsWebhookCaller(): WebhookCaller {
  return async (target, body, timeoutMs) => {
    const { status, text } = await post(target, body, timeoutMs)
    if (status < 200 || status > 299) throw new Error(refusal(status, text))
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      const why = (error as Error).message
      throw new Error(`couldn't get version/kind; json parse error: ${why}`, { cause: error })
    }
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

async function post(target: WebhookTarget, body: string, timeoutMs: number): Promise<Answer> {
  const { request } = await import('node:https')
  const { url, address, ca } = target
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const host = address?.host ?? name
  const port = address?.port ?? Number(url.port || httpsPort)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = request(
    {
      method: 'POST',
      host,
      port,
      path: url.pathname + url.search,
      // An address stands in no greeting; the certificate is checked against it all the same.
      ...(isIP(name) === 0 && { servername: name }),
      headers: {
        host: url.host,
        'content-type': 'application/json',
        accept: 'application/json, */*',
        'user-agent': 'kube-apiserver-admission',
        'content-length': Buffer.byteLength(body),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(ca !== undefined && { ca }),
    },
    (incoming) => void readAnswer(incoming).then(resolve, reject),
  )
  outgoing.on('error', reject)
  outgoing.end(body)
  try {
    return await promise
  } catch (error) {
    throw new Error(`Post ${JSON.stringify(target.shown)}: ${dialMessage(error, { host, port })}`, { cause: error })
  }
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error('the webhook response is too large')
    chunks.push(chunk)
  }
  return { status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
}

const refusals: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  403: 'forbidden',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  415: 'the body of the request was in an unknown format - accepted media types include: ',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}
const shownBytes = 2_048

/** What a client makes of an answer that is no success. */
function refusal(status: number, text: string): string {
  const shown = JSON.stringify(text.trim().slice(0, shownBytes))
  return refusals[status] ?? `an error on the server (${shown}) has prevented the request from succeeding`
}
