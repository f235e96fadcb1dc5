import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import { createObject } from '../registry/create-object.ts'
import { decodeObject } from '../registry/decode-body.ts'
import { readWriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'

/** POST to a collection. */
export async function create(context: ResourceContext): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'CreateOptions')
  const draft = await decodeObject(context, context.resource, options.fieldValidation)
  return objectResponse(await createObject(context, draft, options), 201)
}
