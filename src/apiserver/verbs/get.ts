import type { ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import { objectResponse } from '../encoding/responses.ts'
import { parseResourceVersion, waitForRevision } from '../registry/list-page.ts'
import { prepareObject, requireObject } from '../registry/read.ts'
import type { ResourceContext } from '../request-context.ts'

/** GET of one object: the newest committed state, once it is as new as `resourceVersion` asks for at least. */
export function get(context: ResourceContext): ApiResponse | Promise<ApiResponse> {
  const { server, request } = context
  const wanted = wantedRevision(request.query)
  if (wanted > server.feed.revision) return getLater(context, wanted)
  if (context.resource.storage.convert?.prepareServed !== undefined) return getConverted(context)
  if (server.feed.isCurrent) return objectResponse(requireObject(context))
  return server.feed.current(request.signal).then(() => objectResponse(requireObject(context)))
}

async function getLater(context: ResourceContext, revision: number): Promise<ApiResponse> {
  await waitForRevision(context.server, revision, context.request.signal)
  return getConverted(context)
}

function wantedRevision(query: URLSearchParams): number {
  try {
    return parseResourceVersion(query.get('resourceVersion') ?? '')
  } catch (error) {
    // Upstream answers 500 here and 400 for the same text on a list.
    throw new StatusError('', (error as Error).message, { code: 500, cause: error })
  }
}

async function getConverted(context: ResourceContext): Promise<ApiResponse> {
  await context.server.feed.current(context.request.signal)
  await prepareObject(context)
  return objectResponse(requireObject(context))
}
