import { customResourceNode } from '#api/apiextensions/structural/nodes.ts'
import type { Draft } from '#api/kind.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { badRequest, invalid } from '#api/meta/status.ts'
import {
  cannotBeHandled,
  decodeBody,
  type DecodedBody,
  type DecodeTarget,
  type FieldValidation,
} from '#api/schema/decode.ts'
import { kindNode, type ObjectNode } from '#api/schema/node.ts'
import { parseMediaRange } from '../encoding/media-types.ts'
import type { RequestContext } from '../request-context.ts'
import { kindMismatch } from './kind-mismatch.ts'
import { unrecognized, whyUntyped } from './unrecognized-body.ts'
import { unsupportedMediaType } from './write-options.ts'

/** What the body of a write must be. */
export interface WantedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** The type, where it is at hand; else it is found by the three names. */
  readonly node?: ObjectNode
}

const acceptedBodies: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
]

/**
 * The object in a request's body, read by the schema of its kind: a draft that belongs to the caller. `apiVersion` and
 * `kind` are taken from the path where the body has none. Adds to the request's warnings. Throws `BadRequest`.
 */
export async function decodeObject(
  context: RequestContext,
  wanted: WantedKind,
  fieldValidation: FieldValidation,
): Promise<Draft<KubernetesObject>> {
  const { value = '', problems } = await readBody(context, wanted.kind)
  if (wanted.node?.custom !== undefined) return decodeCustom(context, value, wanted, fieldValidation, problems)
  const object = asObject(context, value, wanted, fieldValidation)
  settleYamlProblems(context, problems, wanted, fieldValidation)
  return object
}

/** The same for a body that has been read: JSON text or a value. */
function asObject(
  context: RequestContext,
  body: string | object,
  wanted: WantedKind,
  fieldValidation: FieldValidation,
): Draft<KubernetesObject> {
  const node = wanted.node ?? schemaOf(wanted)
  // JSON's null is read as an object that says nothing.
  const text = typeof body === 'string' && body.length < longestNull && body.trim() === 'null' ? '{}' : body
  const { object, warnings } = decodeTyped({ ...wanted, node }, text, fieldValidation, context.request.body)
  for (const warning of warnings) context.warnings.push(warning)
  object.apiVersion ||= apiVersionOf(wanted)
  object.kind ||= wanted.kind
  checkKind(object, wanted)
  object.metadata ??= {} as Draft<KubernetesObject>['metadata']
  return object
}

/** Longer texts are not looked at for nothing but spaces around a null. */
const longestNull = 16

function decodeTyped(
  target: DecodeTarget,
  body: string | object,
  fieldValidation: FieldValidation,
  sent: unknown,
): DecodedBody<Draft<KubernetesObject>> {
  try {
    return decodeBody(target, body, fieldValidation)
  } catch (error) {
    const why = typeof body === 'string' ? whyUntyped(body) : undefined
    throw why === undefined
      ? error
      : unrecognized(target.kind, why, sent instanceof Uint8Array ? sent : Buffer.from(body as string))
  }
}

/** A custom resource must say what it is; its own schema is for objects of the very version. */
function decodeCustom(
  context: RequestContext,
  value: string | object,
  wanted: WantedKind,
  fieldValidation: FieldValidation,
  yamlProblems: readonly string[],
): Draft<KubernetesObject> {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const why = whyUntyped(text)
  if (why !== undefined) throw unrecognized(wanted.kind, why, Buffer.from(text))
  const parsed: unknown = JSON.parse(text)
  const { kind = '', apiVersion = '' } = (parsed ?? {}) as Partial<KubernetesObject>
  if (kind === '') throw unrecognized(wanted.kind, `Object 'Kind' is missing in '${text}'`, Buffer.from(text))
  const isOurs = apiVersion.slice(apiVersion.lastIndexOf('/') + 1) === wanted.version
  const node = isOurs ? (wanted.node as ObjectNode) : customResourceNode(kind, { type: 'object' })
  const named = { ...wanted, node }
  const { object, warnings } = decodeBody<Draft<KubernetesObject>>(named, value, fieldValidation, yamlProblems)
  context.warnings.push(...warnings.toSorted())
  checkGroupVersion(object.apiVersion, apiVersionOf(wanted))
  object.metadata ??= {} as Draft<KubernetesObject>['metadata']
  if (kind === wanted.kind) return object
  const error = { type: 'FieldValueInvalid', field: 'kind' } as const
  const message = `Invalid value: ${JSON.stringify(kind)}: must be ${wanted.kind}`
  throw invalid({ group: wanted.group, kind, name: object.metadata.name ?? '' }, [{ ...error, message }])
}

export function schemaOf({ group, version, kind }: WantedKind): ObjectNode {
  const node = kindNode(group, version, kind)
  if (node === undefined) throw new Error(`the schema knows no ${kind} in ${group}/${version}`)
  return node
}

function checkKind({ apiVersion, kind }: Draft<KubernetesObject>, wanted: WantedKind): void {
  const why = kindMismatch({ apiVersion, kind }, wanted)
  if (why !== undefined) {
    const version = JSON.stringify(apiVersion.slice(apiVersion.lastIndexOf('/') + 1))
    throw badRequest(`${kind} in version ${version} cannot be handled as a ${wanted.kind}: ${why}`)
  }
  checkGroupVersion(apiVersion, apiVersionOf(wanted))
}

function checkGroupVersion(apiVersion: string, expected: string): void {
  if (apiVersion === expected) return
  throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`)
}

export interface ReadBody {
  /** JSON text, or the value of YAML, protobuf, or of a caller in this process; undefined if there is no body. */
  readonly value: string | object | undefined
  /** Repeated keys of YAML. */
  readonly problems: readonly string[]
}

/** Reads a request's body by its content type. Throws `BadRequest` and `UnsupportedMediaType`. */
export async function readBody({ request }: Pick<RequestContext, 'request'>, kind: string): Promise<ReadBody> {
  const { body, headers } = request
  if (body === undefined) return { value: undefined, problems: [] }
  if (!(body instanceof Uint8Array)) return { value: body as object, problems: [] }
  const contentType = headers['content-type'] ?? ''
  const isJson = contentType === '' || contentType === 'application/json'
  const mediaType = isJson ? 'application/json' : parseMediaRange(contentType)?.type
  switch (mediaType) {
    case 'application/json':
      return { value: body.length === 0 ? undefined : textOf(body), problems: [] }
    case 'application/yaml':
      return readYaml(body, kind)
    case 'application/vnd.kubernetes.protobuf':
      return { value: await parseProtobuf(body, kind), problems: [] }
    default:
      throw unsupportedMediaType(acceptedBodies)
  }
}

/** Only the first document counts. */
async function readYaml(body: Uint8Array, kind: string): Promise<ReadBody> {
  const { parseYamlDocuments, YamlError } = await import('#lib/yaml.ts')
  try {
    const [first] = parseYamlDocuments(textOf(body))
    return { value: (first?.value ?? {}) as object, problems: first?.duplicates ?? [] }
  } catch (error) {
    if (error instanceof YamlError) throw unrecognized(kind, error.message, body)
    throw error
  }
}

const protobufPrefix = Buffer.from([0x6b, 0x38, 0x73, 0x00])

async function parseProtobuf(body: Uint8Array, kind: string): Promise<object> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, protobufPrefix.length).equals(protobufPrefix)) {
    const why = 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]'
    throw unrecognized(kind, why, bytes)
  }
  const { kubernetesProtobuf } = await import('#api/protobuf/envelope.ts')
  try {
    return kubernetesProtobuf().decode(bytes)
  } catch (error) {
    throw unrecognized(kind, (error as Error).message, bytes)
  }
}

function settleYamlProblems(
  context: RequestContext,
  problems: readonly string[],
  wanted: WantedKind,
  fieldValidation: FieldValidation,
): void {
  if (problems.length === 0 || fieldValidation === 'Ignore') return
  if (fieldValidation === 'Strict') {
    const why = `strict decoding error: yaml: unmarshal errors:\n  ${problems.join('\n  ')}`
    throw cannotBeHandled(wanted, why)
  }
  context.warnings.push(...problems)
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
