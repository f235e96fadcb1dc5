import type { UserInfo } from '#api/meta/exchange.ts'

/** Kubernetes' verbs, and lower-case HTTP methods for paths that are no resource. */
export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  | 'head'
  | 'post'
  | 'put'
  | 'options'
  | 'connect'
  | 'proxy'

/** What a request line asks for, taken apart. */
export interface RequestInfo {
  readonly isResourceRequest: boolean
  readonly path: string
  readonly verb: Verb
  readonly group: string
  readonly version: string
  /** Plural name, empty for a non-resource request. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  /** Empty for collections. */
  readonly name: string
  /** What follows the subresource in the path, for `proxy`. */
  readonly rest: string
}

/** What an authorizer is asked. */
export interface AuthorizationAttributes extends RequestInfo {
  readonly user: UserInfo
}
