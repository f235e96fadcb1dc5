import type { ApiResponse } from '#api/meta/exchange.ts'
import { notFound, StatusError } from '#api/meta/status.ts'
import type { LocalApi } from '../aggregation/local-api.ts'
import { nonResourcePaths } from '../discovery/non-resource-paths.ts'
import { objectResponse, pageNotFound } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import type { VerbHandler } from '../verbs/verb-handler.ts'
import { verbs } from '../verbs/verbs.ts'
import { getComponentStatus, listComponentStatuses } from '../verbs/component-statuses.ts'
import { createBindingOfCollection } from '../verbs/subresources/binding.ts'
import { review } from '../verbs/review.ts'
import { reviewHandlers } from '../reviews/review-handlers.ts'
import { subresourceHandler } from '../verbs/subresources/subresource-table.ts'
import { deprecationOf } from '../registry/deprecations.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { checkPatchType, methodNotAllowed, unknownResource } from './refusals.ts'
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
  return nonResourcePaths(context) ?? context.server.morePaths?.(context.request) ?? pageNotFound()
}

function toResource(context: RequestContext): ApiResponse | Promise<ApiResponse> {
  const { info, server } = context
  const resource = server.resources.find(info.group, info.version, info.resource)
  if (resource === undefined) {
    const local = server.aggregation.localOf(info.group, info.version)
    if (local !== undefined) return answerLocally(local, context)
    if (!server.resources.hasBuiltInGroup(info.group)) return pageNotFound()
    throw unknownResource()
  }
  if (resource.custom !== undefined && !isInScope(resource, info)) return pageNotFound()
  const handler = resource.custom === undefined ? handlerFor(context, resource) : customHandler(context, resource)
  const isOwnPatch = resource.custom === undefined && info.verb === 'patch' && info.subresource !== 'proxy'
  if (isOwnPatch) checkPatchType(context.request)
  const deprecation = deprecationOf(resource)
  if (deprecation !== undefined) context.warnings.push(deprecation)
  return handler({ ...context, resource })
}

async function answerLocally(api: LocalApi, { info, request }: RequestContext): Promise<ApiResponse> {
  const { verb, resource, namespace, name } = info
  const labelSelector = request.query.get('labelSelector') ?? ''
  const fieldSelector = request.query.get('fieldSelector') ?? ''
  return objectResponse(await api.answer({ verb, resource, namespace, name, labelSelector, fieldSelector }))
}

/** Only lists and watches look into all namespaces at once; paths of the other scope are none. */
function isInScope({ namespaced }: ServedResource, { namespace, verb, rest }: RequestInfo): boolean {
  if (rest !== '') return false
  return namespaced ? namespace !== '' || verb === 'list' || verb === 'watch' : namespace === ''
}

/** The same for a custom resource: it has no router, so that 404 and 405 read differently. */
function customHandler({ info, request }: RequestContext, resource: ServedResource): VerbHandler {
  const { group, plural, custom } = resource
  if (info.subresource !== '' && !resource.subresources.has(info.subresource)) {
    throw notFound({ group, resource: plural, name: info.name })
  }
  const hasName = info.name !== ''
  const wantsName = !['create', 'list', 'watch', 'deletecollection'].includes(info.verb)
  const fits = hasName === wantsName || isCollectionRead(info.verb)
  const handler = info.subresource === '' ? verbs[info.verb] : subresourceHandler(resource, info)
  if (handler === undefined || !fits || request.method === 'HEAD') {
    throw notSupportedOn(resource, `${info.verb} is not supported on resources of kind "${plural}.${group}"`)
  }
  if (custom?.isTerminating === true && info.verb === 'create') {
    throw notSupportedOn(resource, 'create not allowed while custom resource definition is terminating')
  }
  return handler
}

function isCollectionRead(verb: RequestInfo['verb']): boolean {
  return verb === 'list' || verb === 'watch' || verb === 'deletecollection'
}

function notSupportedOn({ group, plural }: ServedResource, message: string): StatusError {
  return new StatusError('MethodNotAllowed', message, { details: { group, kind: plural } })
}

/** The handler, or a 404 or 405 as upstream's router gives them: unknown shape of path first, then unknown method. */
function handlerFor({ info, request }: RequestContext, resource: ServedResource): VerbHandler {
  const isInNamespace = resource.namespaced
    ? info.namespace !== ''
    : resource.plural === 'namespaces' || info.namespace === ''
  // The name of a list or watch is but one that its selector asks for.
  const isNamed = info.name !== '' && !isCollectionRead(info.verb)
  if (!isInNamespace && (isNamed || !resource.namespaced)) throw unknownResource()
  if (info.rest !== '' && info.subresource !== 'proxy') throw unknownResource()
  if (info.subresource !== '') {
    const row = resource.subresources.get(info.subresource)
    if (row === undefined) throw unknownResource()
    const handler = subresourceHandler(resource, info)
    const isBareHead = request.method === 'HEAD' && info.subresource !== 'proxy'
    if (handler === undefined || isBareHead) throw methodNotAllowed()
    return handler
  }
  const isCreateAll = info.verb === 'create' && (info.name !== '' || (resource.namespaced && info.namespace === ''))
  const isUpdateAll = (info.verb === 'update' || info.verb === 'patch') && info.name === ''
  const handler = specialHandler(resource, info) ?? verbs[info.verb]
  const isServed = resource.verbs.has(info.verb) && handler !== undefined && request.method !== 'HEAD'
  const isOddWatch = info.verb === 'watch' && request.method !== 'GET'
  const isDeleteAll = info.verb === 'deletecollection' && resource.namespaced && info.namespace === ''
  if (!isServed || isCreateAll || isUpdateAll || isDeleteAll || isOddWatch) throw methodNotAllowed()
  return handler
}

/** Resources that are written to, or read, but never stored. */
function specialHandler(resource: ServedResource, { verb }: RequestInfo): VerbHandler | undefined {
  if (resource.group === '' && resource.plural === 'componentstatuses') {
    return verb === 'get' ? getComponentStatus : listComponentStatuses
  }
  if (verb !== 'create') return undefined
  if (resource.group === '' && resource.plural === 'bindings') return createBindingOfCollection
  const handler = reviewHandlers[`${resource.group}/${resource.plural}`]
  return handler && ((context) => review(context, handler))
}
