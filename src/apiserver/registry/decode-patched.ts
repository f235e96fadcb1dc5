import type { Draft } from '#api/kind.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { invalidValue } from '#api/meta/field-errors.ts'
import { badRequest, invalid } from '#api/meta/status.ts'
import { DecodeError, decodeValue, type FieldValidation } from '#api/schema/decode.ts'
import { isPlainObject, setOwn } from '#api/schema/own-member.ts'
import type { ManagedFieldsEntry } from '#api/types/meta.v1.ts'
import type { ResourceContext } from '../request-context.ts'
import { kindMismatch } from './kind-mismatch.ts'
import type { PatchDocument } from './patch-document.ts'
import { typedPatchProblem } from './typed-patch-problem.ts'

/**
 * The patched object as a draft. A patch that makes it unreadable is `Invalid`, and quotes what it made. With
 * `keepsUntouched` the draft lacks the members beside `metadata` and `status` that the patch leaves as they are.
 */
export function decodePatched(
  context: ResourceContext,
  patch: PatchDocument,
  current: KubernetesObject,
  { fieldValidation, keepsUntouched }: { readonly fieldValidation: FieldValidation; readonly keepsUntouched: boolean },
): Draft<KubernetesObject> {
  const { resource, warnings } = context
  const patched = patch.apply(current)
  try {
    checkIsObject(patched)
    if (patch.quoted === undefined) checkType(patched as KubernetesObject, resource)
    const { known, rest } = splitUntouched(patched as KubernetesObject, current, keepsUntouched)
    const { object, problems } = decodeValue<Draft<KubernetesObject>>(resource.node, rest)
    const all = fieldValidation === 'Ignore' ? [] : [...patch.duplicates(), ...problems]
    if (fieldValidation === 'Strict' && all.length > 0)
      throw new DecodeError(`strict decoding error: ${all.join(', ')}`)
    for (const warning of all) if (!warnings.includes(warning)) warnings.push(warning)
    if (patch.quoted !== undefined) Object.assign(object, { apiVersion: apiVersionOf(resource), kind: resource.kind })
    object.metadata ??= {} as Draft<KubernetesObject>['metadata']
    if (known !== undefined) object.metadata.managedFields = known as Draft<ManagedFieldsEntry>[]
    return object
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const [quoted, why] =
      patch.quoted === undefined ? [quotable(patched), error.message] : [patch.quoted, typedPatchProblem(error.message)]
    throw invalid({ group: '', kind: '', name: '' }, [invalidValue('patch', quoted, why)])
  }
}

/** The patched object without what was read when it was stored and is the very same still, which saves reading it again. */
function splitUntouched(
  patched: KubernetesObject,
  current: KubernetesObject,
  keepsUntouched: boolean,
): { readonly known: readonly ManagedFieldsEntry[] | undefined; readonly rest: object } {
  const before = current as unknown as Readonly<Record<string, unknown>>
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(patched)) {
    if (!keepsUntouched || alwaysRead.has(key) || value !== before[key]) setOwn(rest, key, value)
  }
  const { metadata } = patched
  const known = isPlainObject(metadata) ? metadata.managedFields : undefined
  if (known === undefined || known !== current.metadata.managedFields) return { known: undefined, rest }
  const { managedFields: _managedFields, ...others } = metadata
  rest['metadata'] = others
  return { known, rest }
}

const alwaysRead: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** A patch may leave anything: a JSON patch can replace the whole document. */
function checkIsObject(patched: unknown): void {
  if (isPlainObject(patched)) return
  if (patched === null) throw new DecodeError(`Object 'Kind' is missing in 'null'`)
  const found = Array.isArray(patched) ? 'array' : typeof patched === 'boolean' ? 'bool' : typeof patched
  throw new DecodeError(`couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value`)
}

function checkType({ apiVersion, kind }: KubernetesObject, resource: ResourceContext['resource']): void {
  if (resource.custom !== undefined) return checkCustomType(apiVersion, kind, resource)
  const why = kindMismatch({ apiVersion: apiVersion ?? '', kind: kind ?? '' }, resource)
  if (why !== undefined) throw new DecodeError(why)
}

function checkCustomType(apiVersion: string, kind: string, resource: ResourceContext['resource']): void {
  const expected = apiVersionOf(resource)
  if (apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (kind === resource.kind) return
  const error = invalidValue('kind', kind, `must be ${resource.kind}`)
  throw invalid({ group: resource.group, kind, name: '' }, [error])
}

const metadataOrder = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
]

/** The text of the patched object with its members in upstream's order: sorted, but for the metadata. */
function quotable(object: unknown): string {
  if (!isPlainObject(object)) return JSON.stringify(object)
  const { metadata = {} } = object as { readonly metadata?: unknown }
  const ordered = isPlainObject(metadata) ? orderedMetadata(metadata) : metadata
  const members = Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1))
  return JSON.stringify(Object.fromEntries(members.map(([key, value]) => [key, key === 'metadata' ? ordered : value])))
}

function orderedMetadata(metadata: Readonly<Record<string, unknown>>): object {
  const known = metadataOrder.filter((key) => Object.hasOwn(metadata, key))
  const keys = [...known, ...Object.keys(metadata).filter((key) => !known.includes(key))]
  return Object.fromEntries(keys.map((key) => [key, metadata[key]]))
}
