import { forbiddenField, invalidValue, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { ProjectedVolumeSource, ServiceAccountTokenProjection, VolumeProjection } from '../../../types/core.v1.ts'
import {
  present,
  validateDownwardFiles,
  validateFileMode,
  validateFilePath,
  validateItems,
} from './validate-volume-files.ts'

/** A volume made of several sources. */
export function validateProjected({ defaultMode, sources }: ProjectedVolumeSource, path: string): FieldError[] {
  const errors = validateFileMode(defaultMode, `${path}.defaultMode`)
  const taken = new Set<string>()
  for (const [index, source] of (sources ?? []).entries()) {
    errors.push(...validateSource(source, `${path}.sources[${index}]`), ...validateConflicts(source, taken, path))
  }
  return errors
}

function validateSource(source: VolumeProjection, path: string): FieldError[] {
  const checks: [keyof VolumeProjection, (at: string) => FieldError[]][] = [
    ['secret', (at) => validateNamed(source.secret, at)],
    ['configMap', (at) => validateNamed(source.configMap, at)],
    ['downwardAPI', (at) => validateDownwardFiles(source.downwardAPI?.items, at)],
    ['serviceAccountToken', (at) => validateToken(source.serviceAccountToken, at)],
    ['clusterTrustBundle', (at) => present({ path: source.clusterTrustBundle?.path }, at)],
    ['podCertificate', (at) => present({ signerName: source.podCertificate?.signerName }, at)],
  ]
  const given = checks.filter(([name]) => source[name] !== undefined)
  if (given.length === 0) return [required(path, 'must specify a source type')]
  return given.flatMap(([name, check], index) =>
    index === 0
      ? check(`${path}.${name}`)
      : [forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type')],
  )
}

type Named = VolumeProjection['secret'] | VolumeProjection['configMap']

function validateNamed(source: Named, path: string): FieldError[] {
  return [...present({ name: source?.name }, path), ...validateItems(source?.items, path)]
}

const tenMinutesSeconds = 600
const maxTokenSeconds = 2 ** 32

function validateToken(token: ServiceAccountTokenProjection | undefined, path: string): FieldError[] {
  const seconds = token?.expirationSeconds ?? tenMinutesSeconds
  const errors: FieldError[] = []
  const field = `${path}.expirationSeconds`
  if (seconds < tenMinutesSeconds) {
    errors.push(invalidValue(field, seconds, 'may not specify a duration less than 10 minutes'))
  } else if (seconds > maxTokenSeconds) {
    errors.push(invalidValue(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
  }
  if ((token?.path ?? '') === '') errors.push(required(`${path}.path`))
  else errors.push(...validateFilePath(token?.path ?? '', `${path}.path`))
  return errors
}

/** Two sources may not write the same file; a directory and a file of one name clash as well. */
function validateConflicts(source: VolumeProjection, taken: Set<string>, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const file of filesOf(source)) {
    if (taken.has(file)) errors.push(invalidValue(path, file, 'conflicting duplicate paths'))
    taken.add(file)
  }
  return errors
}

function filesOf({ secret, configMap, downwardAPI, serviceAccountToken }: VolumeProjection): readonly string[] {
  const items = [...(secret?.items ?? []), ...(configMap?.items ?? []), ...(downwardAPI?.items ?? [])]
  const files = items.map(({ path }) => path)
  if (serviceAccountToken?.path) files.push(serviceAccountToken.path)
  return files.filter((file) => file !== '')
}
