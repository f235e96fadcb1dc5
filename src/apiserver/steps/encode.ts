import type { ApiBody, ApiResponse } from '#api/meta/exchange.ts'
import { reshape } from '../encoding/shapes.ts'
import type { RequestContext } from '../request-context.ts'

/**
 * Forms the answer: the content type, the warnings, and the object as a table or as metadata where the client asked
 * for it. The bytes are made by the listener, so that callers in the same process get the object itself.
 */
export function encode(context: RequestContext, response: ApiResponse): ApiResponse {
  const body = reshape(context, response.body)
  const flow = context.admission?.headers
  if (body.type !== 'object' && body.type !== 'watch') {
    return flow === undefined ? response : { ...response, headers: { ...response.headers, ...flow } }
  }
  const headers = { ...response.headers, ...flow, 'content-type': contentTypeOf(context, body) } as Record<
    string,
    string
  >
  if (context.warnings.length > 0) headers['warning'] = context.warnings.map(warningHeader).join(', ')
  return { ...response, body, headers }
}

function contentTypeOf({ negotiated }: RequestContext, body: ApiBody): string {
  const isFramed = body.type === 'watch' && negotiated.mediaType === 'application/vnd.kubernetes.protobuf'
  return isFramed ? `${negotiated.mediaType};stream=watch` : negotiated.mediaType
}

/** RFC 7234, 5.5, with the code Kubernetes uses. */
function warningHeader(text: string): string {
  return `299 - ${JSON.stringify(text)}`
}
