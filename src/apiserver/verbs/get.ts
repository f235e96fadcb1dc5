import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import { prepareObject, requireObject } from '../registry/read.ts'
import type { ResourceContext } from '../request-context.ts'

/** GET of one object: the newest committed state, whatever `resourceVersion` asks for at least. */
export function get(context: ResourceContext): ApiResponse | Promise<ApiResponse> {
  const { server, request } = context
  if (context.resource.storage.convert?.prepareServed !== undefined) return getConverted(context)
  if (server.feed.isCurrent) return objectResponse(requireObject(context))
  return server.feed.current(request.signal).then(() => objectResponse(requireObject(context)))
}

async function getConverted(context: ResourceContext): Promise<ApiResponse> {
  await context.server.feed.current(context.request.signal)
  await prepareObject(context)
  return objectResponse(requireObject(context))
}
