/** Where a webhook listens. */
export interface WebhookTarget {
  readonly url: URL
  /** The address to connect to, where it is not the URL's own: that of a Service. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  /** PEM of the authorities to trust; absent: those of the machine. */
  readonly ca: string | undefined
}

/** Posts a JSON body and answers the JSON that comes back. Rejects when the webhook cannot be reached or takes too long. */
export type WebhookCaller = (target: WebhookTarget, body: string, timeoutMs: number) => Promise<unknown>

const maxAnswerBytes = 3 * 1_024 * 1_024

/** Calls webhooks over HTTPS. */
export function httpsWebhookCaller(): WebhookCaller {
  return async ({ url, address, ca }, body, timeoutMs) => {
    const { request } = await import('node:https')
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const outgoing = request(
      {
        method: 'POST',
        host: address?.host ?? url.hostname.replace(/^\[|\]$/g, ''),
        port: address?.port ?? (url.port || 443),
        path: url.pathname + url.search,
        servername: url.hostname,
        headers: {
          host: url.host,
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        signal: AbortSignal.timeout(timeoutMs),
        ...(ca !== undefined && { ca }),
      },
      (incoming) => {
        const chunks: Buffer[] = []
        let size = 0
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswerBytes) outgoing.destroy(new Error('the webhook response is too large'))
          chunks.push(chunk)
        })
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const code = incoming.statusCode ?? 0
          if (code < 200 || code > 299)
            return reject(
              new Error(
                `an error on the server (${JSON.stringify(text.slice(0, 200))}) has prevented the request from succeeding`,
              ),
            )
          try {
            resolve(JSON.parse(text))
          } catch {
            reject(new Error('the webhook response is no JSON'))
          }
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
    return promise.catch((error: unknown) => {
      const isLate = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
      throw isLate ? new Error('context deadline exceeded', { cause: error }) : error
    })
  }
}
