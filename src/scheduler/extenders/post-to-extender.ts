import type { ExtenderCaller } from './extender-settings.ts'

const maxAnswerBytes = 64 * 1_024 * 1_024

/** Asks extenders over HTTP or HTTPS. */
export const postToExtender: ExtenderCaller = async ({ url, body, timeoutMs, tls }) => {
  const target = new URL(url)
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const text = JSON.stringify(body)
  const outgoing = request(
    target,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      signal: AbortSignal.timeout(timeoutMs),
      ...(target.protocol === 'https:' && {
        rejectUnauthorized: !tls.insecure,
        ...(tls.serverName && { servername: tls.serverName }),
        ...(tls.ca && { ca: tls.ca }),
        ...(tls.certificate && { cert: tls.certificate }),
        ...(tls.key && { key: tls.key }),
      }),
    },
    (incoming) => {
      const chunks: Buffer[] = []
      let size = 0
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) outgoing.destroy(new Error('the answer of the extender is too large'))
        chunks.push(chunk)
      })
      incoming.on('error', reject)
      incoming.on('end', () => {
        if (incoming.statusCode !== 200) {
          return reject(new Error(`failed ${url} with extender, code ${incoming.statusCode}`))
        }
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString()))
        } catch {
          reject(new Error(`the answer of the extender at ${url} is no JSON`))
        }
      })
    },
  )
  outgoing.on('error', reject)
  outgoing.end(text)
  return promise
}
