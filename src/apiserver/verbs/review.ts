import type { ApiResponse } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { objectResponse } from '../encoding/responses.ts'
import { decodeObject } from '../registry/decode-body.ts'
import { trackAnswer } from '../registry/field-managers.ts'
import { readWriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'
import type { ReviewHandler } from '../reviews/review-handler.ts'
import { methodNotAllowed } from '../steps/refusals.ts'

/** POST of a resource that only answers a question: nothing is stored. */
export async function review(context: ResourceContext, handler: ReviewHandler): Promise<ApiResponse> {
  const { server, user, info, resource, request } = context
  if (server.reviews === undefined) throw methodNotAllowed()
  const options = readWriteOptions(context, 'CreateOptions')
  const draft = await decodeObject(context, resource, options.fieldValidation)
  trackAnswer(context, options, draft, resource.node)
  const object = draft as KubernetesObject
  await server.feed.current(request.signal)
  return objectResponse(handler({ object, user, namespace: info.namespace }, server.reviews), 201)
}
