import type { ApiResponse } from '#api/meta/exchange.ts'
import type { RequestContext } from '../request-context.ts'

/** One stage of the pipeline. It answers the request, or leaves it to the next; it refuses by throwing a `StatusError`. */
export interface Step {
  readonly name: string
  readonly run: (context: RequestContext) => ApiResponse | undefined | Promise<ApiResponse | undefined>
}
