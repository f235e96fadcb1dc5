import type { ApiResponse } from '#api/meta/exchange.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import type { ServerParts } from '../server-parts.ts'

/** A named condition of a healthy server; answers undefined, or why it does not hold. */
interface HealthCheck {
  readonly name: string
  readonly endpoints: readonly string[]
  readonly run: (server: ServerParts) => string | undefined
}

const all = ['healthz', 'livez', 'readyz']

const checks: readonly HealthCheck[] = [
  { name: 'ping', endpoints: all, run: () => undefined },
  { name: 'log', endpoints: all, run: () => undefined },
  { name: 'etcd', endpoints: all, run: (server) => (server.feed.hasFailed ? 'the store cannot be read' : undefined) },
  {
    name: 'informer-sync',
    endpoints: ['readyz'],
    run: (server) => (server.feed.revision > 0 ? undefined : 'the caches have not been filled'),
  },
  {
    name: 'shutdown',
    endpoints: ['readyz'],
    run: (server) => (server.closing.aborted ? 'process is shutting down' : undefined),
  },
]

/** Each endpoint, and each check at its own path. */
export const healthPaths: readonly string[] = all.flatMap((endpoint) => [
  `/${endpoint}`,
  ...checks.filter(({ endpoints }) => endpoints.includes(endpoint)).map(({ name }) => `/${endpoint}/${name}`),
])

/**
 * `/healthz`, `/livez`, `/readyz` with `?verbose` and `?exclude=`, and each check at its own path (API reference,
 * "Kubernetes API health endpoints"). Undefined for any other path.
 */
export function health({ request, server }: RequestContext): ApiResponse | undefined {
  const [, endpoint = '', name, more] = request.path.replace(/\/$/, '').split('/')
  if (!all.includes(endpoint) || more !== undefined) return undefined
  const mine = checks.filter((check) => check.endpoints.includes(endpoint))
  if (name !== undefined) {
    const check = mine.find((candidate) => candidate.name === name)
    return check && report(endpoint, [check], server, false)
  }
  const excluded = new Set(request.query.getAll('exclude'))
  const isVerbose = request.query.has('verbose')
  return report(
    endpoint,
    mine.filter((check) => !excluded.has(check.name)),
    server,
    isVerbose,
  )
}

function report(endpoint: string, run: readonly HealthCheck[], server: ServerParts, isVerbose: boolean): ApiResponse {
  const lines: string[] = []
  let hasFailed = false
  for (const check of run) {
    const problem = check.run(server)
    server.healthMetrics.ran(endpoint, check.name, problem === undefined)
    hasFailed ||= problem !== undefined
    lines.push(problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`)
  }
  if (hasFailed) return textResponse(`${lines.join('\n')}\n${endpoint} check failed\n`, 500)
  return textResponse(isVerbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok')
}
