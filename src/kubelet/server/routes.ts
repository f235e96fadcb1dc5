import { serveConfiguration } from './configz.ts'
import { serveLogs } from './container-logs.ts'
import { serveCadvisorMetrics, serveMetrics, serveProbeMetrics, serveResourceMetrics } from './metrics-pages.ts'
import { serveHealth, servePods } from './node-pages.ts'
import type { Route, RouteCall } from './route.ts'
import { serveCheckpoint, serveRun } from './run-command.ts'
import { serveSummary } from './stats-summary.ts'
import { streamAttach, streamExec, streamPortForward } from './streams.ts'

/** All paths of the kubelet's server. */
const routes: readonly Route[] = [
  { path: '/healthz', respond: serveHealth },
  { path: '/pods', respond: servePods },
  { path: '/configz', respond: serveConfiguration },
  { path: '/metrics', respond: serveMetrics },
  { path: '/metrics/cadvisor', respond: serveCadvisorMetrics },
  { path: '/metrics/probes', respond: serveProbeMetrics },
  { path: '/metrics/resource', respond: serveResourceMetrics },
  { path: '/stats/summary', respond: serveSummary },
  { path: '/containerLogs/:namespace/:pod/:container', respond: serveLogs },
  { path: '/run/:namespace/:pod/:container', methods: ['POST'], respond: serveRun },
  { path: '/run/:namespace/:pod/:uid/:container', methods: ['POST'], respond: serveRun },
  { path: '/checkpoint/:namespace/:pod/:container', methods: ['POST'], respond: serveCheckpoint },
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
