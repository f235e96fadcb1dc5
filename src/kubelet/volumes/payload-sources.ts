import { configMaps, secrets } from '#api/types/resources.ts'
import type { Container, DownwardAPIVolumeFile, KeyToPath } from '#api/types/core.v1.ts'
import { fieldValue } from '../environment/field-ref.ts'
import { resourceFieldValue } from '../environment/resource-field.ts'
import type { PayloadFile } from './atomic-writer.ts'
import type { VolumeRequest } from './volume-plugin.ts'

export type PayloadEntries = readonly (readonly [string, PayloadFile])[]

interface KeyedSource {
  readonly name: string
  readonly items: readonly KeyToPath[] | undefined
  readonly optional: boolean | undefined
  readonly defaultMode: number
}

/** The files that a config map gives. */
export async function configMapEntries({ objects }: VolumeRequest, source: KeyedSource): Promise<PayloadEntries> {
  const object = await objects.get(configMaps, source.name)
  if (object === undefined) return missing(source, `configmap "${source.name}" not found`)
  const data = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(value, 'utf8'))
  for (const [key, value] of Object.entries(object.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return pickKeys(data, source, 'configmap references non-existent config key')
}

/** The files that a secret gives. */
export async function secretEntries({ objects }: VolumeRequest, source: KeyedSource): Promise<PayloadEntries> {
  const object = await objects.get(secrets, source.name)
  if (object === undefined) return missing(source, `secret "${source.name}" not found`)
  const data = Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const)
  return pickKeys(new Map(data), source, 'references non-existent secret key')
}

function missing({ optional }: KeyedSource, message: string): PayloadEntries {
  if (optional === true) return []
  throw new Error(message)
}

function pickKeys(data: ReadonlyMap<string, Uint8Array>, source: KeyedSource, complaint: string): PayloadEntries {
  if (source.items === undefined || source.items.length === 0) {
    return [...data].map(([key, bytes]) => [key, { data: bytes, mode: source.defaultMode }] as const)
  }
  return source.items.flatMap(({ key, path, mode }) => {
    const bytes = data.get(key)
    if (bytes !== undefined) return [[path, { data: bytes, mode: mode ?? source.defaultMode }] as const]
    if (source.optional === true) return []
    throw new Error(`${complaint}: ${key}`)
  })
}

/** The files that the downward API gives. */
export function downwardEntries(
  request: VolumeRequest,
  items: readonly DownwardAPIVolumeFile[] | undefined,
  defaultMode: number,
): PayloadEntries {
  return (items ?? []).map((item) => {
    const text = item.fieldRef
      ? fieldValue(request.pod, item.fieldRef.fieldPath, request.place)
      : item.resourceFieldRef && resourceFieldValue(request.pod, item.resourceFieldRef, resourceContext(request))
    if (text === undefined) throw new Error(`the source of downward API file ${item.path} is not known`)
    return [item.path, { data: Buffer.from(text, 'utf8'), mode: item.mode ?? defaultMode }] as const
  })
}

function resourceContext({ pod, allocatable }: VolumeRequest): {
  container?: Container
  allocatable: VolumeRequest['allocatable']
} {
  const [first] = pod.spec.containers
  return { allocatable, ...(first && { container: first }) }
}
