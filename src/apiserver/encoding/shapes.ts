import {
  buildTable,
  parseIncludeObject,
  partialMetadata,
  partialMetadataList,
  type IncludeObject,
  type MetaApiVersion,
} from '#api/meta/table.ts'
import type { ApiBody, WireWatchEvent } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import type { RequestContext } from '../request-context.ts'
import { tableRows } from './table-rows.ts'

interface ObjectList extends Pick<KubernetesObject, 'metadata'> {
  readonly items: readonly KubernetesObject[]
}

/** What the client asked objects to be turned into. */
interface Shape {
  readonly one: (object: KubernetesObject) => object
  readonly list: (list: ObjectList) => object
  /** Whether the event is the first of its watch. */
  readonly event: (object: KubernetesObject, isFirst: boolean) => object
}

/** The body as a Table or as bare metadata, where the client asked for that. Throws `BadRequest` for a bad `includeObject`. */
export function reshape(context: RequestContext, body: ApiBody): ApiBody {
  if (context.negotiated.as === 'object') return body
  if (body.type !== 'object' && body.type !== 'watch') return body
  if (body.type === 'watch') return { type: 'watch', events: shapedEvents(body.events, shapeFor(context)) }
  const { object } = body
  const { kind, items } = object as { kind?: string; items?: unknown }
  if (kind === 'Status' || kind === undefined) return body
  const shape = shapeFor(context)
  checkListness(context, kind, Array.isArray(items))
  return {
    type: 'object',
    object: Array.isArray(items) ? shape.list(object as ObjectList) : shape.one(object as KubernetesObject),
  }
}

/** A client must know whether it asks for one object or a list. */
function checkListness({ negotiated, info }: RequestContext, kind: string, isList: boolean): void {
  const { as } = negotiated
  const what = `(*${info.group === '' ? 'core' : info.group.split('.')[0]}.${kind})`
  if (as === 'PartialObjectMetadata' && isList) {
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list ${what}`)
  }
  if (as === 'PartialObjectMetadataList' && !isList) {
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list ${what}`)
  }
}

function notAcceptable(message: string): StatusError {
  return new StatusError('NotAcceptable', message)
}

async function* shapedEvents(events: AsyncIterable<WireWatchEvent>, shape: Shape): AsyncIterable<WireWatchEvent> {
  let isFirst = true
  for await (const { type, object } of events) {
    yield type === 'ERROR' || type === 'BOOKMARK'
      ? { type, object }
      : { type, object: shape.event(object as KubernetesObject, isFirst) }
    isFirst = false
  }
}

function shapeFor(context: RequestContext): Shape {
  const apiVersion: MetaApiVersion = `meta.k8s.io/${context.negotiated.metaVersion}`
  if (context.negotiated.as !== 'Table') return metadataShape(apiVersion)
  const includeObject = parseIncludeObject(context.request.query.get('includeObject'))
  return tableShape(context, apiVersion, includeObject)
}

function metadataShape(apiVersion: MetaApiVersion): Shape {
  const one = (object: KubernetesObject): object => partialMetadata(object, apiVersion)
  return { one, event: one, list: ({ items, metadata }) => partialMetadataList(items, metadata, apiVersion) }
}

function tableShape({ info, server }: RequestContext, apiVersion: MetaApiVersion, includeObject: IncludeObject): Shape {
  const resource = server.resources.find(info.group, info.version, info.resource)
  const build = (objects: readonly KubernetesObject[], metadata: object, withColumns: boolean): object => {
    const rows = tableRows(resource, objects[0]?.kind)
    return buildTable(objects, { ...rows, includeObject, apiVersion, nowMs: server.clock.now(), metadata, withColumns })
  }
  return {
    one: (object) => build([object], object.metadata, true),
    list: ({ items, metadata }) => build(items, metadata, true),
    event: (object, isFirst) => build([object], object.metadata, isFirst),
  }
}
