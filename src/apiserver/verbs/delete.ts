import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse, successStatus } from '../encoding/responses.ts'
import { deleteByName } from '../registry/delete-object.ts'
import { readDeleteOptions } from '../registry/delete-options.ts'
import type { ResourceContext } from '../request-context.ts'

/** DELETE of one object: answers the object while it lingers, or a Status once it is gone, as its kind has it. */
export async function deleteObject(context: ResourceContext): Promise<ApiResponse> {
  const { resource, info } = context
  const { object, isRemoved } = await deleteByName(context, info.name, await readDeleteOptions(context))
  if (!isRemoved || resource.rules.deleteReturnsObject === true) return objectResponse(object)
  const { name, uid } = object.metadata
  return objectResponse(
    successStatus({ name, ...(resource.group !== '' && { group: resource.group }), kind: resource.plural, uid }),
  )
}
