import type { ApiRequest } from '#api/meta/exchange.ts'
import { apiVersionOf } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import type { RequestContext } from '../request-context.ts'
import type { RequestInfo } from '../request-info.ts'
import { reviewHandlers } from '../reviews/review-handlers.ts'
import { parseAccept, type MediaRange } from '../encoding/media-types.ts'
import { plainJson, type Negotiated } from '../encoding/negotiated.ts'
import type { Step } from './step.ts'

/** Chooses the form of the answer from the `Accept` header; 406 if the server has none the client takes. */
export const negotiate: Step = {
  name: 'negotiate',
  run(context) {
    const { info, request } = context
    if (!info.isResourceRequest) {
      if (discoveryPath.test(info.path)) context.negotiated = discoveryForm(request, info.path)
      return undefined
    }
    const negotiated = chooseForm(request, context)
    if (negotiated === undefined) throw notAcceptable(info, request.headers['accept'] ?? '')
    context.negotiated = negotiated
    return undefined
  },
}

const discoveryPath = /^\/apis?(\/|$)/

/** Lists of what is served have no other forms than JSON and YAML; aggregated ones are chosen where they are made. */
function discoveryForm({ headers }: ApiRequest, path: string): Negotiated {
  const ranges = parseAccept(headers['accept'] ?? '')
  const known = ranges.find(({ type, parameters }) => mediaTypes[type] !== undefined && parameters['as'] === undefined)
  if (known?.type === 'application/yaml') return { ...plainJson, mediaType: 'application/yaml' }
  if ((headers['accept'] ?? '') === '' || ranges.some(({ type }) => mediaTypes[type] !== undefined)) return plainJson
  const isOfGroup = /^\/apis(\/[^/]+)?\/?$/.test(path)
  const accepted = served.join(', ')
  if (isOfGroup) throw new StatusError('NotAcceptable', `only the following media types are accepted: ${accepted}`)
  const message = `406: Not Acceptable\n\nAvailable representations: ${accepted}`
  throw new StatusError('NotAcceptable', message, { details: {} })
}

/** The first acceptable form, or undefined if there is none. An absent or empty header takes anything. */
function chooseForm({ headers }: ApiRequest, context: RequestContext): Negotiated | undefined {
  const accept = headers['accept']
  if (accept === undefined || accept === '' || accept === 'application/json') return plainJson
  for (const range of parseAccept(accept)) {
    const form = formOf(range)
    if (form !== undefined && canEncode(form, context) && canShape(form, context)) return form
  }
  return undefined
}

function formOf({ type, parameters }: MediaRange): Negotiated | undefined {
  const mediaType = mediaTypes[type]
  if (mediaType === undefined) return undefined
  const as = parameters['as']
  if (as === undefined) return { mediaType, as: 'object', metaVersion: 'v1' }
  if (as === 'Table' && mediaType === 'application/vnd.kubernetes.protobuf') return undefined
  const version = parameters['v']
  if (parameters['g'] !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  if (as !== 'Table' && as !== 'PartialObjectMetadata' && as !== 'PartialObjectMetadataList') return undefined
  return { mediaType, as, metaVersion: version }
}

const mediaTypes: Readonly<Record<string, Negotiated['mediaType']>> = {
  'application/json': 'application/json',
  'application/yaml': 'application/yaml',
  'application/vnd.kubernetes.protobuf': 'application/vnd.kubernetes.protobuf',
  'application/*': 'application/json',
  '*/*': 'application/json',
}

/** Custom resources and what other parts answer have no protobuf form; clients that prefer it take their next choice. */
function canEncode({ mediaType, as }: Negotiated, { info, server }: RequestContext): boolean {
  if (mediaType !== 'application/vnd.kubernetes.protobuf' || as !== 'object') return true
  const resource = server.resources.find(info.group, info.version, info.resource)
  if (resource === undefined) return server.aggregation.localOf(info.group, info.version) === undefined
  return kubernetesProtobuf().supports(apiVersionOf(resource), resource.kind)
}

/** What only answers questions has no rows. */
function canShape({ as }: Negotiated, { info }: RequestContext): boolean {
  return as !== 'Table' || reviewHandlers[`${info.group}/${info.resource}`] === undefined
}

const served = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const streamed = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

function notAcceptable(info: RequestInfo, accept: string): StatusError {
  if (parseAccept(accept).some(({ type }) => mediaTypes[type] !== undefined)) {
    return new StatusError('NotAcceptable', `only the following media types are accepted: ${served.join(', ')}`)
  }
  const available = info.verb === 'list' || info.verb === 'watch' ? [...served, ...streamed] : served
  const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`
  return new StatusError('NotAcceptable', message, { details: {} })
}
