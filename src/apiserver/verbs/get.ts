import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import { requireObject } from '../registry/read.ts'
import type { ResourceContext } from '../request-context.ts'

/** GET of one object: the newest committed state, whatever `resourceVersion` asks for at least. */
export function get(context: ResourceContext): ApiResponse | Promise<ApiResponse> {
  const { server, request } = context
  if (server.feed.isCurrent) return objectResponse(requireObject(context))
  return server.feed.current(request.signal).then(() => objectResponse(requireObject(context)))
}
