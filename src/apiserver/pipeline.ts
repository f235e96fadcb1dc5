import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import { StoreUnavailableError } from '#storage/store.ts'
import { anonymousUser } from './authn/authenticators.ts'
import { plainJson } from './encoding/negotiated.ts'
import { errorResponse } from './encoding/responses.ts'
import { admitConnection } from './registry/admit-connection.ts'
import type { RequestContext } from './request-context.ts'
import { parseRequestInfo } from './request-info.ts'
import type { ServerParts } from './server-parts.ts'
import { aggregate } from './steps/aggregate.ts'
import { authenticate } from './steps/authenticate.ts'
import { authorize } from './steps/authorize.ts'
import { dispatch } from './steps/dispatch.ts'
import { encode } from './steps/encode.ts'
import { impersonate } from './steps/impersonate.ts'
import { negotiate } from './steps/negotiate.ts'
import { throttle } from './steps/throttle.ts'
import type { Step } from './steps/step.ts'

/** Who may do this: the steps that an upgraded connection goes through too. */
const admission: readonly Step[] = [authenticate, impersonate, authorize]

/** What happens to every request, in order. A step that answers ends the walk; `encode` forms each answer. */
const pipeline: readonly Step[] = [authenticate, impersonate, throttle, authorize, aggregate, negotiate, dispatch]

/** Walks one request through the pipeline. Never rejects: errors become a Status, unexpected ones are logged. */
export async function answer(request: ApiRequest, server: ServerParts): Promise<ApiResponse> {
  const context = newContext(request, server)
  const startMs = server.clock.monotonic()
  server.metrics.begin()
  const response = await respond(context)
  server.metrics.end(context.info, response.status, (server.clock.monotonic() - startMs) / 1_000)
  return response
}

async function respond(context: RequestContext): Promise<ApiResponse> {
  try {
    return encode(context, await walk(pipeline, context))
  } catch (error) {
    return encode(context, errorResponse(statusErrorOf(error, context), context.info))
  } finally {
    context.admission?.release()
  }
}

/** Takes an upgrade request through authentication and authorization; throws the `StatusError` of a refusal. */
export async function admit(request: ApiRequest, server: ServerParts): Promise<RequestContext> {
  const context = newContext(request, server)
  for (const step of admission) await step.run(context)
  await admitConnection(context)
  return context
}

function newContext(request: ApiRequest, server: ServerParts): RequestContext {
  return { request, server, info: parseRequestInfo(request), user: anonymousUser, negotiated: plainJson, warnings: [] }
}

async function walk(steps: readonly Step[], context: RequestContext): Promise<ApiResponse> {
  for (const step of steps) {
    const given = step.run(context)
    const response = given instanceof Promise ? await given : given
    if (response !== undefined) return response
  }
  throw new Error('no step answered the request')
}

/** A client's mistake as it is; anything else is ours, is logged, and tells the client no more than its message. */
function statusErrorOf(error: unknown, { request, server, info }: RequestContext): StatusError {
  if (error instanceof StatusError) return error
  if (request.signal.aborted) return new StatusError('Timeout', 'the client went away before the request was answered')
  // As with upstream, a write may have been made all the same.
  if (error instanceof StoreUnavailableError) return new StatusError('Timeout', error.message, { cause: error })
  server.log.error('a request failed unexpectedly', { method: request.method, path: info.path, error })
  const message = error instanceof Error ? error.message : String(error)
  return new StatusError('InternalError', `Internal error occurred: ${message}`, {
    details: { causes: [{ message }] },
    cause: error,
  })
}
