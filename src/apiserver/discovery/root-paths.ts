import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { fixedPaths } from './fixed-paths.ts'
import { healthPaths } from './health.ts'
import { pagesOf } from './z-pages.ts'
import { groupsOf } from './rows.ts'

/** `/`: the paths that can be asked for (`metav1.RootPaths`). Undefined for any other path. */
export function rootPaths({ request, server }: RequestContext): ApiResponse | undefined {
  if (request.path !== '/' && request.path !== '/index.html') return undefined
  const groups = groupsOf(server.resources).flatMap(({ name, versions }) => [
    `/apis/${name}`,
    ...versions.map((version) => `/apis/${name}/${version}`),
  ])
  const pagePaths = pagesOf(server.about.features)
  return objectResponse({ paths: [...fixedPaths, ...pagePaths, ...healthPaths, ...groups].toSorted() })
}
