import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KubeletServerContext } from './server-context.ts'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came with the request's first packet. */
  readonly head: Buffer
}

export interface Route {
  /** Segments of the path; `:name` matches any one. */
  readonly path: string
  /** Default: any. */
  readonly methods?: readonly string[]
  readonly respond?: (context: KubeletServerContext, call: RouteCall, response: ServerResponse) => Promise<void> | void
  readonly stream?: (context: KubeletServerContext, call: RouteCall, upgrade: UpgradeRequest) => Promise<void>
}

export interface RouteCall {
  readonly route: Route
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
}
