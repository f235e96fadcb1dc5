import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { serveLogs } from './container-logs.ts'
import type { KubeletServerContext } from './kubelet-server.ts'
import { serveHealth, servePods } from './node-pages.ts'
import { serveSummary } from './stats-summary.ts'
import { streamAttach, streamExec, streamPortForward } from './streams.ts'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came with the request's first packet. */
  readonly head: Buffer
}

export interface Route {
  /** Segments of the path; `:name` matches any one. */
  readonly path: string
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

/** All paths of the kubelet's server. */
const routes: readonly Route[] = [
  { path: '/healthz', respond: serveHealth },
  { path: '/pods', respond: servePods },
  { path: '/stats/summary', respond: serveSummary },
  { path: '/containerLogs/:namespace/:pod/:container', respond: serveLogs },
  { path: '/exec/:namespace/:pod/:container', stream: streamExec },
  { path: '/exec/:namespace/:pod/:uid/:container', stream: streamExec },
  { path: '/attach/:namespace/:pod/:container', stream: streamAttach },
  { path: '/attach/:namespace/:pod/:uid/:container', stream: streamAttach },
  { path: '/portForward/:namespace/:pod', stream: streamPortForward },
  { path: '/portForward/:namespace/:pod/:uid', stream: streamPortForward },
]

export function findRoute(path: string): Pick<RouteCall, 'route' | 'parameters'> | undefined {
  const parts = path.split('/')
  for (const route of routes) {
    const parameters = match(route.path.split('/'), parts)
    if (parameters) return { route, parameters }
  }
  return undefined
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] as string
    if (expected.startsWith(':')) parameters[expected.slice(1)] = decodeURIComponent(part)
    else if (expected !== part) return undefined
  }
  return parameters
}
