import type { ApiResponse } from '#api/meta/exchange.ts'
import { metricsContentType } from '#lib/metrics/metric.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'

/** `/metrics/slis`: what health checks have found (KEP-3466); undefined for any other path. */
export function serviceLevels({ request, server }: RequestContext): ApiResponse | undefined {
  if (request.path !== '/metrics/slis') return undefined
  return textResponse(server.healthMetrics.text(), 200, metricsContentType)
}
