import { invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { configMapKey, dnsLabel, dnsSubdomain, envVarName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from '../../../types/core.v1.ts'
import { validateFieldRef, validateResourceFieldRef } from './validate-field-ref.ts'
import { validateNoBacksteps } from './validate-path.ts'

/** The environment of a container: its variables and the maps it takes over. */
export function validateEnvironment({ env, envFrom }: Container, path: string): FieldError[] {
  return [
    ...(env ?? []).flatMap((variable, index) => validateVariable(variable, `${path}.env[${index}]`)),
    ...(envFrom ?? []).flatMap((source, index) => validateEnvFrom(source, `${path}.envFrom`, index)),
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

function validateVariable({ name = '', value, valueFrom }: Partial<EnvVar>, path: string): FieldError[] {
  const errors = name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, envVarName(name))
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
  const given = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (part) => part !== undefined,
  ).length
  if (given === 0) {
    const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalidValue(path, '', `must specify one of: ${names}`))
  } else if (value !== '') {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  } else if (given > 1) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function validateKeyRef(
  { name = '', key }: { readonly name?: string | undefined; readonly key: string },
  path: string,
): FieldError[] {
  const errors = invalidForEach(`${path}.name`, name, dnsSubdomain(name))
  if ((key ?? '') === '') return [...errors, required(`${path}.key`)]
  return [...errors, ...invalidForEach(`${path}.key`, key, configMapKey(key))]
}

/** A key in a file of an `emptyDir` that an init container has written (KEP-3721). */
function validateFileKeyRef(ref: FileKeySelector, path: string): FieldError[] {
  const { key = '', volumeName = '', path: file = '' } = ref as Partial<FileKeySelector>
  return [
    ...(key === '' ? [required(`${path}.key`)] : invalidForEach(`${path}.key`, key, envVarName(key))),
    ...(volumeName === ''
      ? [required(`${path}.volumeName`)]
      : invalidForEach(`${path}.volumeName`, volumeName, dnsLabel(volumeName))),
    ...(file === '' ? [required(`${path}.path`)] : validateNoBacksteps(file, `${path}.path`)),
  ]
}

/** Errors of the choice name the whole list, as the API server does. */
function validateEnvFrom(source: EnvFromSource, path: string, index: number): FieldError[] {
  const { prefix = '', configMapRef, secretRef } = source
  const at = `${path}[${index}]`
  const errors = prefix === '' ? [] : invalidForEach(`${at}.prefix`, prefix, envVarName(prefix))
  if (configMapRef !== undefined) errors.push(...validateReferenceName(configMapRef.name, `${at}.configMapRef.name`))
  if (secretRef !== undefined) errors.push(...validateReferenceName(secretRef.name, `${at}.secretRef.name`))
  if (configMapRef === undefined && secretRef === undefined) {
    errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

/** A trailing hyphen is taken for the end of a name to be completed. */
function validateReferenceName(name: string | undefined, path: string): FieldError[] {
  if (name === undefined || name === '') return [required(path)]
  const shown = name.endsWith('-') ? `${name.slice(0, -1)}a` : name
  return invalidForEach(path, name, dnsSubdomain(shown))
}
