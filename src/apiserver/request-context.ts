import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import type { Negotiated } from './encoding/negotiated.ts'
import type { Admission } from './flowcontrol/flow-control.ts'
import type { ServedResource } from './registry/served-resource.ts'
import type { RequestInfo } from './request-info.ts'
import type { ServerParts } from './server-parts.ts'

/** One request on its way through the pipeline; each step fills in what it finds out. */
export interface RequestContext {
  readonly request: ApiRequest
  readonly server: ServerParts
  readonly info: RequestInfo
  user: UserInfo
  negotiated: Negotiated
  /** The seats this request holds; undefined before it has them, and for long-running ones. */
  admission?: Admission | undefined
  /** Texts for `Warning` headers, in order. */
  readonly warnings: string[]
}

/** A request for a resource that is served. */
export interface ResourceContext extends RequestContext {
  readonly resource: ServedResource
}
