import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { HTTPGetAction } from '#api/types/core.v1.ts'
import { probeFailure, probeSuccess, type ProbeOutcome } from './probe-outcome.ts'

export interface HttpProbeTarget {
  readonly podIp: string
  readonly port: number
  readonly timeoutMs: number
}

const maximumRedirects = 10

/**
 * One GET. Success is a status from 200 to 399; certificates are not checked; redirects on the same host are followed,
 * one that leads to another host counts as success (API reference, HTTPGetAction).
 */
export function httpProbe(action: HTTPGetAction, target: HttpProbeTarget): Promise<ProbeOutcome> {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const host = action.host || target.podIp
  const address = host.includes(':') ? `[${host}]` : host
  const path = action.path ?? '/'
  const url = new URL(`${scheme}://${address}:${target.port}${path.startsWith('/') ? path : `/${path}`}`)
  return get(url, { headers: probeHeaders(action), timeoutMs: target.timeoutMs, redirects: 0 })
}

function probeHeaders({ httpHeaders = [] }: HTTPGetAction): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' }
  for (const { name, value } of httpHeaders) headers[name.toLowerCase()] = value
  return headers
}

interface GetOptions {
  readonly headers: Record<string, string>
  readonly timeoutMs: number
  readonly redirects: number
}

function get(url: URL, options: GetOptions): Promise<ProbeOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>()
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const signal = AbortSignal.timeout(options.timeoutMs)
  const request = send(
    url,
    { headers: options.headers, rejectUnauthorized: false, agent: false, signal },
    (response) => {
      const { statusCode = 0, headers } = response
      response.resume()
      const isRedirect = statusCode >= 300 && statusCode < 400 && headers.location !== undefined
      if (isRedirect) resolve(follow(url, headers.location ?? '', options))
      else if (statusCode >= 200 && statusCode < 400) resolve(probeSuccess)
      else resolve(probeFailure(`HTTP probe failed with statuscode: ${statusCode}`))
      response.on('error', () => undefined)
    },
  )
  request.on('error', (error: NodeJS.ErrnoException) =>
    resolve(probeFailure(`Get "${url.href}": ${reasonOf(error, url)}`)),
  )
  request.end()
  return promise
}

function follow(from: URL, location: string, options: GetOptions): Promise<ProbeOutcome> | ProbeOutcome {
  if (!URL.canParse(location, from)) return probeFailure(`Get "${from.href}": invalid redirect to ${location}`)
  const target = new URL(location, from)
  if (target.hostname !== from.hostname) return probeSuccess
  if (options.redirects >= maximumRedirects)
    return probeFailure(`Get "${from.href}": stopped after ${maximumRedirects} redirects`)
  return get(target, { ...options, redirects: options.redirects + 1 })
}

/** Network failures in the words that users search for. */
function reasonOf(error: NodeJS.ErrnoException, url: URL): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || error.code === 'ABORT_ERR') {
    return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
  }
  return dialFailure(error, `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`)
}

export function dialFailure(error: NodeJS.ErrnoException, address: string): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`
    case 'ECONNRESET':
      return 'EOF'
    default:
      return error.message
  }
}
