import jsonPatch from 'fast-json-patch'
import { badRequest, StatusError } from '#api/meta/status.ts'
import { parseMediaRange } from '../encoding/media-types.ts'
import type { RequestContext } from '../request-context.ts'
import type { WantedKind } from './decode-body.ts'
import { textOf } from './decode-body.ts'
import { deepCopy } from './deep-copy.ts'
import { unsupportedMediaType } from './write-options.ts'

/** A patch of any type, ready to be applied to any state of the object. */
export interface PatchDocument {
  /** The patched object; `current` is left as it is. Throws a `StatusError` if the patch does not fit. */
  readonly apply: (current: object) => object
}

export const acceptedPatches: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

/** Reads the patch in a request's body by its content type. */
export async function readPatch({ request }: RequestContext, _wanted: WantedKind): Promise<PatchDocument> {
  const type = parseMediaRange(request.headers['content-type'] ?? '')?.type
  switch (type) {
    case 'application/json-patch+json': {
      const operations = parse(request.body)
      return { apply: (current) => applyJsonPatch(current, operations) }
    }
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json': {
      const patch = parse(request.body)
      return { apply: (current) => mergePatch(current, patch) as object }
    }
    default:
      throw unsupportedMediaType(acceptedPatches)
  }
}

function parse(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body
  try {
    return JSON.parse(textOf(body)) as unknown
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`)
  }
}

function applyJsonPatch(current: object, operations: unknown): object {
  try {
    return jsonPatch.applyPatch(deepCopy(current), operations as jsonPatch.Operation[], true, true).newDocument
  } catch (error) {
    throw new StatusError('Invalid', (error as Error).message)
  }
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const source = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const result: Record<string, unknown> = { ...source }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}
