import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import { parseMediaRange } from '../encoding/media-types.ts'
import type { RequestContext } from '../request-context.ts'
import { deepCopy } from './deep-copy.ts'
import { unsupportedMediaType } from './write-options.ts'

/** The JSON value of a request's body, as a copy that belongs to the caller; undefined if there is no body. */
export async function readBody({ request }: Pick<RequestContext, 'request'>): Promise<unknown> {
  const { body, headers } = request
  if (body === undefined) return undefined
  if (!(body instanceof Uint8Array)) return deepCopy(body)
  if (body.length === 0) return undefined
  const contentType = headers['content-type'] ?? ''
  if (parseMediaRange(contentType)?.type === protobufType) return parseProtobuf(body)
  return parseText(textOf(body), contentType)
}

export const acceptedBodies: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
]

async function parseText(text: string, contentType: string): Promise<unknown> {
  const mediaType = contentType === '' ? 'application/json' : parseMediaRange(contentType)?.type
  switch (mediaType) {
    case 'application/json':
      return parseJson(text)
    case 'application/yaml': {
      const { parseYaml } = await import('../encoding/yaml.ts')
      return parseYaml(text)
    }
    default:
      throw unsupportedMediaType(acceptedBodies)
  }
}

const protobufType = 'application/vnd.kubernetes.protobuf'

async function parseProtobuf(body: Uint8Array): Promise<unknown> {
  const { kubernetesProtobuf } = await import('#api/protobuf/envelope.ts')
  try {
    return kubernetesProtobuf().decode(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message}`)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message}`)
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** What the body of a write must be. */
export interface WantedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The object in the body, its `apiVersion` and `kind` filled in from the path where they are missing. */
export async function decodeObject(context: RequestContext, wanted: WantedKind): Promise<Draft<KubernetesObject>> {
  const value = await readBody(context)
  return asObject(value, wanted)
}

export function asObject(value: unknown, wanted: WantedKind): Draft<KubernetesObject> {
  const object = (value ?? {}) as Draft<KubernetesObject>
  const apiVersion = wanted.group === '' ? wanted.version : `${wanted.group}/${wanted.version}`
  object.apiVersion ||= apiVersion
  object.kind ||= wanted.kind
  object.metadata ??= {} as Draft<KubernetesObject>['metadata']
  return object
}
