import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import type { Negotiated } from './encoding/negotiated.ts'
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
  /** Texts for `Warning` headers, in order. */
  readonly warnings: string[]
}

/** A request for a resource that is served. */
export interface ResourceContext extends RequestContext {
  readonly resource: ServedResource
}
