import { forbiddenField, invalidValue, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { KeyToPath, ProjectedVolumeSource, VolumeProjection } from '../../../types/core.v1.ts'
import { filesOf, validateCertificateProjection } from './validate-certificate-projection.ts'
import { validateTrustProjection } from './validate-trust-projection.ts'
import {
  present,
  validateDownwardFile,
  validateFileMode,
  validateFilePath,
  validateItem,
} from './validate-volume-files.ts'

/** A volume made of several sources; two may not write the same file. */
export function validateProjected({ defaultMode, sources }: ProjectedVolumeSource, path: string): FieldError[] {
  const errors = validateFileMode(defaultMode, `${path}.defaultMode`)
  const taken = new Set<string>()
  for (const [index, source] of (sources ?? []).entries()) {
    errors.push(...validateSource(source, { volumePath: path, taken }, `${path}.sources[${index}]`))
  }
  return errors
}

interface Volume {
  readonly volumePath: string
  /** Files written by earlier sources. */
  readonly taken: Set<string>
}

function validateSource(source: VolumeProjection, volume: Volume, path: string): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle, podCertificate } = source
  const errors: FieldError[] = []
  if (secret !== undefined) errors.push(...validateMap(secret, volume, `${path}.secret`))
  if (configMap !== undefined) errors.push(...validateMap(configMap, volume, `${path}.configMap`))
  for (const file of downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, `${path}.downwardAPI`), ...takeFile(file.path, file.path, volume))
  }
  if (token !== undefined) {
    errors.push(...validateTokenLife(token.expirationSeconds ?? 0, `${path}.serviceAccountToken.expirationSeconds`))
    const at = `${volume.volumePath}.path`
    errors.push(...((token.path ?? '') === '' ? [required(at)] : validateFilePath(token.path, at)))
  }
  if (clusterTrustBundle !== undefined) {
    errors.push(...validateTrustProjection(clusterTrustBundle, `${path}.clusterTrustBundlePEM`))
    errors.push(...takeFile(clusterTrustBundle.path, clusterTrustBundle.path, volume))
  }
  if (podCertificate !== undefined) {
    errors.push(...validateCertificateProjection(podCertificate, `${path}.podCertificate`))
    for (const file of filesOf(podCertificate)) errors.push(...takeFile(file, file, volume))
  }
  const parts = [secret, configMap, downwardAPI, token, clusterTrustBundle, podCertificate]
  if (parts.filter((part) => part !== undefined).length > 1) {
    errors.push(forbiddenField(path, 'may not specify more than 1 volume type per source'))
  }
  return errors
}

interface MapSource {
  readonly name?: string | undefined
  readonly items?: readonly KeyToPath[] | undefined
}

function validateMap({ name, items }: MapSource, volume: Volume, path: string): FieldError[] {
  const errors = present({ name }, path)
  for (const [index, item] of (items ?? []).entries()) {
    errors.push(...validateItem(item, `${path}.items[${index}]`), ...takeFile(item.path, name ?? '', volume))
  }
  return errors
}

/** `shown` stands in the message: the map's name, or the file. */
function takeFile(file: string | undefined, shown: string, { volumePath, taken }: Volume): FieldError[] {
  if (file === undefined || file === '') return []
  if (taken.has(file)) return [invalidValue(volumePath, shown, 'conflicting duplicate paths')]
  taken.add(file)
  return []
}

const tenMinutesSeconds = 600
const maxTokenSeconds = 2 ** 32

function validateTokenLife(seconds: number, path: string): FieldError[] {
  if (seconds < tenMinutesSeconds) {
    return [invalidValue(path, seconds, 'may not specify a duration less than 10 minutes')]
  }
  if (seconds <= maxTokenSeconds) return []
  return [invalidValue(path, seconds, 'may not specify a duration larger than 2^32 seconds')]
}
