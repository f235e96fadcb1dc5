import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { configMaps, secrets } from '#api/types/resources.ts'
import type { Container, EnvFromSource, EnvVar, Pod } from '#api/types/core.v1.ts'
import type { EnvEntry } from '../cri/container.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { configError } from './container-start-error.ts'
import { expandVariables } from './expand.ts'
import { fieldValue, type PodPlace } from './field-ref.ts'
import { fileVariable, type ReadInside } from './file-variable.ts'
import { resourceFieldValue } from './resource-field.ts'

export interface EnvironmentInput {
  readonly pod: Pod
  readonly container: Container
  readonly place: PodPlace
  readonly objects: PodObjects
  readonly services: ReadonlyMap<string, string>
  readonly allocatable: ResourceAmounts
  readonly volumes: VolumesOnHost
  readonly readInside: ReadInside
}

/**
 * All variables of a container: those about services, then `envFrom`, then `env`; later ones win. Throws
 * `ContainerStartError` when something that is not optional is missing.
 */
export async function containerEnvironment(input: EnvironmentInput): Promise<readonly EnvEntry[]> {
  const variables = new Map<string, string>()
  for (const source of input.container.envFrom ?? []) await addEnvFrom(input, source, variables)
  const valueOf = (name: string): string | undefined => variables.get(name) ?? input.services.get(name)
  for (const variable of input.container.env ?? []) {
    const value = await valueOfVariable(input, variable, valueOf)
    if (value !== undefined) variables.set(variable.name, value)
  }
  for (const [name, value] of input.services) if (!variables.has(name)) variables.set(name, value)
  return [...variables].map(([name, value]) => ({ name, value }))
}

async function addEnvFrom(
  input: EnvironmentInput,
  source: EnvFromSource,
  variables: Map<string, string>,
): Promise<void> {
  const { configMapRef, secretRef, prefix = '' } = source
  const add = (entries: Iterable<readonly [string, string]>): void => {
    for (const [key, value] of entries) variables.set(prefix + key, value)
  }
  if (configMapRef) {
    const object = await input.objects.get(configMaps, configMapRef.name ?? '')
    if (object === undefined && configMapRef.optional !== true) throw notFound('configmap', configMapRef.name)
    add(Object.entries(object?.data ?? {}))
  }
  if (secretRef) {
    const object = await input.objects.get(secrets, secretRef.name ?? '')
    if (object === undefined && secretRef.optional !== true) throw notFound('secret', secretRef.name)
    add(Object.entries(object?.data ?? {}).map(([key, value]) => [key, decodeBase64(value)] as const))
  }
}

async function valueOfVariable(
  input: EnvironmentInput,
  { value, valueFrom }: EnvVar,
  valueOf: (name: string) => string | undefined,
): Promise<string | undefined> {
  if (valueFrom === undefined) return expandVariables(value ?? '', valueOf)
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom
  if (fieldRef) {
    const field = fieldValue(input.pod, fieldRef.fieldPath, input.place)
    if (field === undefined) throw configError(`unsupported fieldPath: ${fieldRef.fieldPath}`)
    return field
  }
  if (resourceFieldRef) {
    const amount = resourceFieldValue(input.pod, resourceFieldRef, input)
    if (amount === undefined) throw configError(`unsupported container resource : ${resourceFieldRef.resource}`)
    return amount
  }
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef
    return keyOf(input, { name, key, optional, type: 'configmap' })
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef
    return keyOf(input, { name, key, optional, type: 'secret' })
  }
  if (fileKeyRef) return fileVariable(fileKeyRef, input)
  throw configError('the source of an environment variable is not supported')
}

interface KeyReference {
  readonly type: 'configmap' | 'secret'
  readonly name: string
  readonly key: string
  readonly optional: boolean | undefined
}

async function keyOf({ objects, pod }: EnvironmentInput, reference: KeyReference): Promise<string | undefined> {
  const { type, name, key, optional } = reference
  const isSecret = type === 'secret'
  const object = await (isSecret ? objects.get(secrets, name) : objects.get(configMaps, name))
  if (object === undefined) {
    if (optional === true) return undefined
    throw notFound(type, name)
  }
  const value = object.data?.[key]
  if (value === undefined) {
    if (optional === true) return undefined
    const kind = isSecret ? 'Secret' : 'ConfigMap'
    throw configError(`couldn't find key ${key} in ${kind} ${pod.metadata.namespace ?? ''}/${name}`)
  }
  return isSecret ? decodeBase64(value) : value
}

function notFound(type: string, name: string | undefined): Error {
  return configError(`${type} "${name ?? ''}" not found`)
}

function decodeBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
