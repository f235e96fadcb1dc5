import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import { decodeObject } from '../registry/decode-body.ts'
import { deepCopy } from '../registry/deep-copy.ts'
import { updateObject, type UpdatePart } from '../registry/update-object.ts'
import { mainPart } from '../registry/update-parts.ts'
import { readWriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'

/** PUT of an object. */
export function update(context: ResourceContext): Promise<ApiResponse> {
  return updatePart(context, mainPart)
}

/** PUT of an object or of the part of it that a subresource stands for. */
export async function updatePart(context: ResourceContext, part: UpdatePart): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'UpdateOptions')
  const wanted = await decodeObject(context, context.resource, options.fieldValidation)
  return objectResponse(await updateObject({ context, options, part, change: () => deepCopy(wanted) as typeof wanted }))
}
