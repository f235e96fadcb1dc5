import type { ApiResponse } from '#api/meta/exchange.ts'
import type { StatusError } from '#api/meta/status.ts'
import type { RequestInfo } from '../request-info.ts'

const noHeaders = Object.freeze({})

/** An object to be encoded as negotiated. */
export function objectResponse(object: object, status = 200): ApiResponse {
  return { status, headers: noHeaders, body: { type: 'object', object } }
}

/** Text as it is: health checks, unknown paths. */
export function textResponse(text: string, status = 200, contentType = 'text/plain; charset=utf-8'): ApiResponse {
  const headers = { 'content-type': contentType, 'x-content-type-options': 'nosniff' }
  return { status, headers, body: { type: 'bytes', bytes: Buffer.from(text) } }
}

/** What a path gets that nothing in the server knows. */
export function pageNotFound(): ApiResponse {
  return textResponse('404 page not found\n', 404)
}

/** What a request line gets that cannot be read. */
export function badRequestLine(): ApiResponse {
  const refused = textResponse('400 Bad Request', 400)
  return { ...refused, headers: { 'content-type': 'text/plain; charset=utf-8', connection: 'close' } }
}

/** As upstream words it where priority and fairness refuse a request. */
export function tooManyRequests(): ApiResponse {
  const refused = textResponse('Too many requests, please try again later.\n', 429)
  return { ...refused, headers: { ...refused.headers, 'retry-after': '1' } }
}

/** The Status of a failure, with the headers that go with it. */
export function errorResponse(error: StatusError, _info: RequestInfo): ApiResponse {
  const retryAfter = error.details?.retryAfterSeconds
  const headers: Record<string, string> = {}
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  if (error.code === 401) headers['www-authenticate'] = 'Bearer'
  return { status: error.code, headers, body: { type: 'object', object: error.toStatus() } }
}

/** The Status that answers a successful request without an object of its own. */
export function successStatus(details?: object): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...(details && { details }) }
}
