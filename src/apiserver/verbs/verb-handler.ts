import type { ApiResponse } from '#api/meta/exchange.ts'
import type { ResourceContext } from '../request-context.ts'

/** Answers one verb on a resource. */
export type VerbHandler = (context: ResourceContext) => ApiResponse | Promise<ApiResponse>
