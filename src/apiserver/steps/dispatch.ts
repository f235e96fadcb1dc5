import type { ApiResponse } from '#api/meta/exchange.ts'
import { nonResourcePaths } from '../discovery/non-resource-paths.ts'
import { pageNotFound } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import type { VerbHandler } from '../verbs/verb-handler.ts'
import { verbs } from '../verbs/verbs.ts'
import { createBindingOfCollection } from '../verbs/subresources/binding.ts'
import { review } from '../verbs/review.ts'
import { reviewHandlers } from '../reviews/review-handlers.ts'
import { subresourceHandler } from '../verbs/subresources/subresource-table.ts'
import { deprecationOf } from '../registry/deprecations.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { methodNotAllowed, unknownResource } from './refusals.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Step } from './step.ts'

/** Hands the request to its verb: resource requests by the resource table, the rest by path. */
export const dispatch: Step = {
  name: 'dispatch',
  run(context) {
    return context.info.isResourceRequest ? toResource(context) : toPath(context)
  },
}

function toPath(context: RequestContext): ApiResponse | Promise<ApiResponse> {
  const serve = nonResourcePaths(context)
  return serve ?? pageNotFound()
}

function toResource(context: RequestContext): ApiResponse | Promise<ApiResponse> {
  const { info, server } = context
  const resource = server.resources.find(info.group, info.version, info.resource)
  if (resource === undefined) {
    if (!server.resources.hasGroup(info.group)) return pageNotFound()
    throw unknownResource()
  }
  const handler = handlerFor(context, resource)
  const deprecation = deprecationOf(resource)
  if (deprecation !== undefined) context.warnings.push(deprecation)
  return handler({ ...context, resource })
}

/** The handler, or a 404 or 405 as upstream's router gives them: unknown shape of path first, then unknown method. */
function handlerFor({ info, request }: RequestContext, resource: ServedResource): VerbHandler {
  const isInNamespace = resource.namespaced
    ? info.namespace !== ''
    : resource.plural === 'namespaces' || info.namespace === ''
  if (!isInNamespace && (info.name !== '' || !resource.namespaced)) throw unknownResource()
  if (info.rest !== '' && info.subresource !== 'proxy') throw unknownResource()
  if (info.subresource !== '') {
    const row = resource.subresources.get(info.subresource)
    if (row === undefined) throw unknownResource()
    const handler = subresourceHandler(resource, info)
    if (handler === undefined || request.method === 'HEAD') throw methodNotAllowed()
    return handler
  }
  const isCreateAll = info.verb === 'create' && (info.name !== '' || (resource.namespaced && info.namespace === ''))
  const isUpdateAll = (info.verb === 'update' || info.verb === 'patch') && info.name === ''
  const handler = specialHandler(resource, info) ?? verbs[info.verb]
  const isServed = resource.verbs.has(info.verb) && handler !== undefined && request.method !== 'HEAD'
  if (!isServed || isCreateAll || isUpdateAll) throw methodNotAllowed()
  return handler
}

/** Resources that are written to but never stored. */
function specialHandler(resource: ServedResource, { verb }: RequestInfo): VerbHandler | undefined {
  if (verb !== 'create') return undefined
  if (resource.group === '' && resource.plural === 'bindings') return createBindingOfCollection
  const handler = reviewHandlers[`${resource.group}/${resource.plural}`]
  return handler && ((context) => review(context, handler))
}
