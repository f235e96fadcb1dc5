import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { healthPaths } from './health.ts'
import { groupsOf } from './rows.ts'

const fixed = [
  '/.well-known/openid-configuration',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/',
  '/debug/api_priority_and_fairness/dump_priority_levels',
  '/debug/api_priority_and_fairness/dump_queues',
  '/debug/api_priority_and_fairness/dump_requests',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/',
  '/openid/v1/jwks',
  '/version',
]

/** `/`: the paths that can be asked for (`metav1.RootPaths`). Undefined for any other path. */
export function rootPaths({ request, server }: RequestContext): ApiResponse | undefined {
  if (request.path !== '/' && request.path !== '/index.html') return undefined
  const groups = groupsOf(server.resources).flatMap(({ name, versions }) => [
    `/apis/${name}`,
    ...versions.map((version) => `/apis/${name}/${version}`),
  ])
  return objectResponse({ paths: [...fixed, ...healthPaths, ...groups].toSorted() })
}
