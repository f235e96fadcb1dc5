import type { ApiResponse } from '#api/meta/exchange.ts'
import { pageNotFound } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { apiLists } from './api-lists.ts'
import { methodNotAllowed } from '../steps/refusals.ts'
import { flowControlPages } from '../flowcontrol/debug-pages.ts'
import { metrics } from '../metrics/metrics.ts'
import { serviceLevels } from '../metrics/service-levels.ts'
import { openApi } from '../openapi/serve.ts'
import { health } from './health.ts'
import { openId } from './open-id.ts'
import { rootPaths } from './root-paths.ts'
import { version } from './version.ts'
import { zPages } from './z-pages.ts'

type PathHandler = (context: RequestContext) => ApiResponse | Promise<ApiResponse>

const exact: Readonly<Record<string, PathHandler>> = { '/version': version, '/version/': version }

/** What a router serves knows its methods; health, metrics and OpenAPI answer any. */
const readOnlyPath = /^\/(api|apis|version)(\/|$)/
const readMethods: ReadonlySet<string> = new Set(['GET'])

/** Answers a path that names no resource, or undefined if nothing is there. */
export function nonResourcePaths(context: RequestContext): ApiResponse | Promise<ApiResponse> | undefined {
  const { path, method } = context.request
  if (!readMethods.has(method) && readOnlyPath.test(path)) throw methodNotAllowed()
  if (path.startsWith('/openapi/')) return openApi(context).then((answer) => answer ?? pageNotFound())
  const handler = Object.hasOwn(exact, path) ? exact[path] : undefined
  return (
    handler?.(context) ??
    health(context) ??
    metrics(context) ??
    serviceLevels(context) ??
    zPages(context) ??
    flowControlPages(context) ??
    openId(context) ??
    apiLists(context) ??
    rootPaths(context)
  )
}
