import type { Draft } from '#api/kind.ts'
import { apiVersionOf, type KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import { decodeBody, type FieldValidation } from '#api/schema/decode.ts'
import { kindNode, type ObjectNode } from '#api/schema/node.ts'
import { parseMediaRange } from '../encoding/media-types.ts'
import type { RequestContext } from '../request-context.ts'
import { unsupportedMediaType } from './write-options.ts'

/** What the body of a write must be. */
export interface WantedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** The type, where it is at hand; else it is found by the three names. */
  readonly node?: ObjectNode
}

export const acceptedBodies: readonly string[] = [
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
  const body = await readBody(context)
  return asObject(context, body ?? {}, wanted, fieldValidation)
}

/** The same for a body that has been read: JSON text or a value. */
export function asObject(
  context: RequestContext,
  body: string | object,
  wanted: WantedKind,
  fieldValidation: FieldValidation,
): Draft<KubernetesObject> {
  const node = wanted.node ?? schemaOf(wanted)
  const { object, warnings } = decodeBody<Draft<KubernetesObject>>({ ...wanted, node }, body, fieldValidation)
  for (const warning of warnings) context.warnings.push(warning)
  object.apiVersion ||= apiVersionOf(wanted)
  object.kind ||= wanted.kind
  checkKind(object, wanted)
  object.metadata ??= {} as Draft<KubernetesObject>['metadata']
  return object
}

export function schemaOf({ group, version, kind }: WantedKind): ObjectNode {
  const node = kindNode(group, version, kind)
  if (node === undefined) throw new Error(`the schema knows no ${kind} in ${group}/${version}`)
  return node
}

function checkKind({ apiVersion, kind }: Draft<KubernetesObject>, wanted: WantedKind): void {
  const expected = apiVersionOf(wanted)
  if (kind !== wanted.kind) {
    const cut = apiVersion.lastIndexOf('/')
    const version = apiVersion.slice(cut + 1)
    const packageName = wanted.group === '' ? 'core' : wanted.group.split('.')[0]
    const why = `converting (${version}.${kind}) to (${packageName}.${wanted.kind}): unknown conversion`
    throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${wanted.kind}: ${why}`)
  }
  if (apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    )
  }
}

/** A request's body: JSON text, or the value of YAML or of a caller in this process; undefined if there is none. */
export async function readBody({ request }: Pick<RequestContext, 'request'>): Promise<string | object | undefined> {
  const { body, headers } = request
  if (body === undefined) return undefined
  if (!(body instanceof Uint8Array)) return body as object
  const contentType = headers['content-type'] ?? ''
  const mediaType = contentType === '' ? 'application/json' : parseMediaRange(contentType)?.type
  switch (mediaType) {
    case 'application/json':
      return body.length === 0 ? undefined : textOf(body)
    case 'application/yaml': {
      const { parseYaml } = await import('../encoding/yaml.ts')
      return (parseYaml(textOf(body)) ?? {}) as object
    }
    case 'application/vnd.kubernetes.protobuf':
      return parseProtobuf(body)
    default:
      throw unsupportedMediaType(acceptedBodies)
  }
}

async function parseProtobuf(body: Uint8Array): Promise<object> {
  const { kubernetesProtobuf } = await import('#api/protobuf/envelope.ts')
  try {
    return kubernetesProtobuf().decode(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message}`)
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
