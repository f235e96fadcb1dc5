import { invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { configMapKey, dnsSubdomain, envVarName, qualifiedName } from '../../../meta/names.ts'
import { compareQuantities } from '../../../meta/quantity.ts'
import type { FieldError } from '../../../meta/status.ts'
import type {
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../../types/core.v1.ts'

/** The environment of a container: its variables and the maps it takes over. */
export function validateEnvironment({ env, envFrom }: Container, path: string): FieldError[] {
  return [
    ...(env ?? []).flatMap((variable, index) => validateVariable(variable, `${path}.env[${index}]`)),
    ...(envFrom ?? []).flatMap((source, index) => validateEnvFrom(source, `${path}.envFrom[${index}]`)),
  ]
}

/** Fields of a pod that a variable may show. */
const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

/** Fields of a pod that a file of a volume may show. */
export const volumeFields: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

const knownFields = new Set([...envFields, ...volumeFields, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase'])

/** A reference to a field of the pod; `allowed` lists the fields the place can show. */
export function validateFieldRef(ref: ObjectFieldSelector, allowed: readonly string[], path: string): FieldError[] {
  if ((ref.apiVersion ?? '') === '') return [required(`${path}.apiVersion`)]
  const { fieldPath } = ref
  if ((fieldPath ?? '') === '') return [required(`${path}.fieldPath`)]
  const [, base = fieldPath, subscript] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? []
  if (ref.apiVersion !== 'v1') {
    return [
      invalidValue(
        `${path}.fieldPath`,
        fieldPath,
        `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`,
      ),
    ]
  }
  if (!knownFields.has(base) && base !== 'spec.host') {
    const detail = `error converting fieldPath: field label not supported: ${subscript === undefined ? fieldPath : base}`
    return [invalidValue(`${path}.fieldPath`, fieldPath, detail)]
  }
  if (subscript !== undefined) return validateSubscript(base, subscript, path)
  const shown = base === 'spec.host' ? 'spec.nodeName' : base
  return allowed.includes(shown) ? [] : [notSupported(`${path}.fieldPath`, shown, allowed)]
}

function validateSubscript(base: string, subscript: string, path: string): FieldError[] {
  if (base === 'metadata.annotations') return invalidForEach(path, subscript, qualifiedName(subscript.toLowerCase()))
  if (base === 'metadata.labels') return invalidForEach(path, subscript, qualifiedName(subscript))
  return [invalidValue(path, base, 'does not support subscript')]
}

const containerResourceFields: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

/** A reference to a container's request or limit; in a volume it must name the container. */
export function validateResourceFieldRef(ref: ResourceFieldSelector, inVolume: boolean, path: string): FieldError[] {
  const { resource, divisor } = ref
  if (inVolume && (ref.containerName ?? '') === '') return [required(`${path}.containerName`)]
  if (resource === '') return [required(`${path}.resource`)]
  const hugePages = /^(requests|limits)\.hugepages-/.test(resource)
  const errors: FieldError[] = []
  if (!containerResourceFields.includes(resource) && !hugePages) {
    errors.push(notSupported(`${path}.resource`, resource, containerResourceFields))
  }
  if (divisor === undefined || compareQuantities(divisor, '0') === 0) return errors
  const divisors = resource.endsWith('.cpu') ? ['1m', '1'] : byteDivisors
  if (!divisors.some((candidate) => compareQuantities(candidate, divisor) === 0)) {
    const kind = resource.endsWith('.cpu') ? 'cpu' : resource.slice(resource.indexOf('.') + 1)
    const detail = `only divisor's values ${divisors.join(', ')} are supported with the ${kind} resource`
    errors.push(invalidValue(`${path}.divisor`, divisor, detail.replace(', 1 are', ' and 1 are')))
  }
  return errors
}

function validateVariable(variable: EnvVar, path: string): FieldError[] {
  const { name, value, valueFrom } = variable
  const errors =
    (name ?? '') === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, envVarName(name))
  if (valueFrom === undefined) return errors
  return [...errors, ...validateValueFrom(valueFrom, value ?? '', `${path}.valueFrom`)]
}

function validateValueFrom(source: EnvVarSource, value: string, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  const errors: FieldError[] = []
  if (fieldRef !== undefined) errors.push(...validateFieldRef(fieldRef, envFields, `${path}.fieldRef`))
  if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceFieldRef(resourceFieldRef, false, `${path}.resourceFieldRef`))
  }
  if (configMapKeyRef !== undefined) errors.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`))
  if (secretKeyRef !== undefined) errors.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`))
  if (fileKeyRef !== undefined) errors.push(...validateFileKeyRef(fileKeyRef, `${path}.fileKeyRef`))
  const given = Object.values(source).filter((part) => part !== undefined).length
  if (given === 0) {
    const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'
    errors.push(invalidValue(path, '', `must specify one of: ${names}`))
  } else if (value !== '') {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  } else if (given > 1) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function validateKeyRef(ref: { readonly name?: string | undefined; readonly key: string }, path: string): FieldError[] {
  const errors: FieldError[] = []
  if ((ref.name ?? '') === '') errors.push(required(`${path}.name`))
  if ((ref.key ?? '') === '') errors.push(required(`${path}.key`))
  else errors.push(...invalidForEach(`${path}.key`, ref.key, configMapKey(ref.key)))
  return errors
}

function validateFileKeyRef(ref: FileKeySelector, path: string): FieldError[] {
  const errors: FieldError[] = []
  if ((ref.key ?? '') === '') errors.push(required(`${path}.key`))
  else errors.push(...invalidForEach(`${path}.key`, ref.key, envVarName(ref.key)))
  if ((ref.volumeName ?? '') === '') errors.push(required(`${path}.volumeName`))
  if ((ref.path ?? '') === '') errors.push(required(`${path}.path`))
  else if (ref.path.startsWith('/')) errors.push(invalidValue(`${path}.path`, ref.path, 'must be a relative path'))
  else if (ref.path.split('/').includes('..'))
    errors.push(invalidValue(`${path}.path`, ref.path, "must not contain '..'"))
  return errors
}

function validateEnvFrom({ prefix = '', configMapRef, secretRef }: EnvFromSource, path: string): FieldError[] {
  const errors = prefix === '' ? [] : invalidForEach(`${path}.prefix`, prefix, envVarName(prefix))
  if (configMapRef !== undefined) errors.push(...validateReferenceName(configMapRef.name, `${path}.configMapRef.name`))
  if (secretRef !== undefined) errors.push(...validateReferenceName(secretRef.name, `${path}.secretRef.name`))
  if (configMapRef === undefined && secretRef === undefined) {
    errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function validateReferenceName(name: string | undefined, path: string): FieldError[] {
  if (name === undefined || name === '') return [required(path)]
  return invalidForEach(path, name, dnsSubdomain(name))
}
