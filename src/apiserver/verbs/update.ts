import type { Draft } from '#api/kind.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { conflict, isStatusError } from '#api/meta/status.ts'
import { objectResponse } from '../encoding/responses.ts'
import { createObject } from '../registry/create-object.ts'
import { decodeObject } from '../registry/decode-body.ts'
import { deepCopy } from '../registry/deep-copy.ts'
import { checkName, targetOf, updateObject, type UpdatePart } from '../registry/update-object.ts'
import { mainPart } from '../registry/update-parts.ts'
import { readWriteOptions, type WriteOptions } from '../registry/write-options.ts'
import type { ResourceContext } from '../request-context.ts'
import { requireAllowed } from '../steps/authorize.ts'

/** PUT of an object. */
export async function update(context: ResourceContext): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'UpdateOptions')
  const wanted = await decodeObject(context, context.resource, options.fieldValidation)
  try {
    return objectResponse(await replace(context, wanted, options, mainPart))
  } catch (error) {
    if (context.resource.rules.createOnUpdate !== true || !isStatusError(error, 'NotFound')) throw error
    return objectResponse(await createInstead(context, wanted, options), 201)
  }
}

/** PUT of the part of an object that a subresource stands for. */
export async function updatePart(context: ResourceContext, part: UpdatePart): Promise<ApiResponse> {
  const options = readWriteOptions(context, 'UpdateOptions')
  const wanted = await decodeObject(context, context.resource, options.fieldValidation)
  return objectResponse(await replace(context, wanted, options, part))
}

function replace(
  context: ResourceContext,
  wanted: Draft<KubernetesObject>,
  options: WriteOptions,
  part: UpdatePart,
): Promise<KubernetesObject> {
  checkName(context, wanted)
  return updateObject({
    context,
    options,
    part,
    change(current) {
      checkUid(context, wanted, current)
      return deepCopy(wanted as KubernetesObject)
    },
  })
}

/** A PUT is for the very object it was read from. */
export function checkUid(
  context: ResourceContext,
  { metadata: { uid } }: { readonly metadata: { readonly uid?: string | undefined } },
  current: KubernetesObject,
): void {
  if (!uid || uid === current.metadata.uid) return
  const { resource, info } = context
  const key = `/registry/${resource.plural}/${resource.namespaced ? `${info.namespace}/` : ''}${info.name}`
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`
  throw conflict(
    targetOf(context),
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}

/** Who may only update must not create this way. */
function createInstead(
  context: ResourceContext,
  wanted: Draft<KubernetesObject>,
  options: WriteOptions,
): Promise<KubernetesObject> {
  const { info, user, server } = context
  requireAllowed({ ...info, verb: 'create', user }, server)
  wanted.metadata.name ||= info.name
  return createObject(context, wanted, options)
}
