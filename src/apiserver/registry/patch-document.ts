import { goText } from '#api/meta/go-text.ts'
import { applyJsonPatch, JsonPatchError, readJsonPatch, type JsonPatchOperation } from '#api/meta/json-patch.ts'
import { applyMergePatch } from '#api/meta/merge-patch.ts'
import { badRequest, StatusError } from '#api/meta/status.ts'
import { applyStrategicMergePatch } from '#api/meta/strategic-merge-patch.ts'
import { DecodeError, parseJson } from '#api/schema/decode.ts'
import { findDuplicates } from '#api/schema/json-scanner.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import { parseMediaRange } from '../encoding/media-types.ts'
import type { RequestContext } from '../request-context.ts'
import { textOf } from './decode-body.ts'
import { unsupportedMediaType } from './write-options.ts'

/** A patch of any type, ready to be applied to any state of the object. */
export interface PatchDocument {
  /** Repeated members of the patch's text: `duplicate field "data.z"`. */
  readonly duplicates: () => readonly string[]
  /** The patch as upstream quotes it, of a patch that is applied to the typed object: the path tells its type. */
  readonly quoted?: string
  /** The patched object; `current` is left as it is. Throws a `StatusError` if the patch does not fit. */
  readonly apply: (current: object) => object
}

/** The media types of the patches that are understood. */
export const patchTypes: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]

const strategic = 'application/strategic-merge-patch+json'

/** Reads the patch in a request's body by its content type. `node` is the type that it patches. */
export function readPatch({ request }: RequestContext, node: ObjectNode): PatchDocument {
  const duplicates = (): readonly string[] => duplicatesOf(request.body)
  const type = patchTypeOf(request.headers['content-type'])
  // The schema of a custom resource has no merge keys for this type of patch.
  if (node.custom !== undefined && type === strategic) {
    throw unsupportedMediaType(patchTypes.filter((accepted) => accepted !== strategic))
  }
  switch (type) {
    case 'application/json-patch+json': {
      const body = parseBody(request.body)
      return { duplicates, apply: (current) => applyOperations(current, readJsonPatch(body)) }
    }
    case 'application/merge-patch+json': {
      const patch = readObject(request.body)
      if (patch === null) throw badRequest('Invalid JSON Patch')
      return { duplicates, apply: (current) => applyMergePatch(current, patch) as object }
    }
    case 'application/strategic-merge-patch+json': {
      const patch = readObject(request.body)
      const quoted = goText(patch ?? {})
      return { duplicates, quoted, apply: (current) => applyStrategicMergePatch(node, current, patch ?? {}) }
    }
    default:
      throw unsupportedMediaType(patchTypes)
  }
}

/** Upstream does not say which operation did not apply, or why. */
function applyOperations(current: object, operations: readonly JsonPatchOperation[]): object {
  try {
    return applyJsonPatch(current, operations) as object
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error
    const message = 'the server rejected our request due to an error in our request'
    throw new StatusError('Invalid', message, { details: {}, cause: error })
  }
}

/** The media type alone, in lower case. */
export function patchTypeOf(contentType: string | undefined): string | undefined {
  return parseMediaRange(contentType ?? '')?.type
}

const reportedDuplicates = 100

function duplicatesOf(body: unknown): readonly string[] {
  if (!(body instanceof Uint8Array)) return []
  return findDuplicates(textOf(body), reportedDuplicates).map((path) => `duplicate field ${JSON.stringify(path)}`)
}

function readObject(body: unknown): object | null {
  const value = parseBody(body)
  if (typeof value === 'object' && !Array.isArray(value)) return value
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  throw badRequest(
    `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
  )
}

function parseBody(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body
  try {
    return parseJson(textOf(body))
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`error decoding patch: ${error.message}`)
    throw error
  }
}
