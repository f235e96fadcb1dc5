import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'
import { apply } from './apply.ts'
import { decodePatched } from '../registry/decode-patched.ts'
import { patchTypeOf, readPatch } from '../registry/patch-document.ts'
import { updateObject, type UpdatePart } from '../registry/update-object.ts'
import { mainPart } from '../registry/update-parts.ts'
import { readWriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'

/** PATCH of an object. */
export function patch(context: ResourceContext): Promise<ApiResponse> {
  return patchPart(context, mainPart)
}

/** PATCH of an object or of the part of it that a subresource stands for. */
export async function patchPart(context: ResourceContext, part: UpdatePart): Promise<ApiResponse> {
  const { resource, request } = context
  if (patchTypeOf(request.headers['content-type']) === 'application/apply-patch+yaml') return apply(context, part)
  const options = readWriteOptions(context, 'PatchOptions')
  const document = readPatch(context, resource.node)
  const readAs = { fieldValidation: options.fieldValidation, keepsUntouched: part.keepsUntouched === true }
  const changed = await updateObject({
    context,
    options,
    part,
    change: (current) => decodePatched(context, document, current, readAs),
  })
  return objectResponse(changed)
}
