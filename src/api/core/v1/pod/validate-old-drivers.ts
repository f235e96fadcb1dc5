import { within } from '../../../meta/check-numbers.ts'
import { invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { dnsLabel } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
} from '../../../types/core.v1.ts'
import { present } from './validate-volume-files.ts'

/** Sources that pods and PersistentVolumes share, most of them of drivers that once were built in. */

interface Disk {
  readonly partition?: number | undefined
}

export function validatePartition({ partition }: Disk, path: string): FieldError[] {
  const wrong = partition !== undefined && (partition < 0 || partition > 255)
  // The message has always named another range than the one that is checked.
  return wrong ? [invalidValue(`${path}.partition`, partition, 'must be between 1 and 255, inclusive')] : []
}

export function validateNfs({ server, path: folder }: NFSVolumeSource, path: string): FieldError[] {
  const errors = present({ server, path: folder }, path)
  if (!(folder ?? '').startsWith('/')) {
    errors.push(invalidValue(`${path}.path`, folder ?? '', 'must be an absolute path'))
  }
  return errors
}

interface Iscsi {
  readonly targetPortal?: string | undefined
  readonly iqn?: string | undefined
  readonly lun?: number | undefined
  readonly initiatorName?: string | undefined
  readonly chapAuthDiscovery?: boolean | undefined
  readonly chapAuthSession?: boolean | undefined
  readonly secretRef?: { readonly name?: string | undefined } | undefined
}

const initiatorForms: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
}

/** `kinds` follows the words for a name of an unknown kind, which differ between pods and volumes. */
function validateInitiator(name: string, kinds: string, path: string): FieldError[] {
  const form = initiatorForms[name.slice(0, 3)]
  if (form === undefined) return [invalidValue(path, name, `must be valid format${kinds}`)]
  return form.test(name) ? [] : [invalidValue(path, name, 'must be valid format')]
}

export function validateIscsi(iscsi: Iscsi, kinds: string, path: string): FieldError[] {
  const { targetPortal, iqn = '', lun, initiatorName, secretRef } = iscsi
  const usesChap = iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true
  return [
    ...present({ targetPortal }, path),
    ...(iqn === '' ? [required(`${path}.iqn`)] : validateInitiator(iqn, kinds, `${path}.iqn`)),
    ...within(lun, 0, 255, `${path}.lun`),
    ...(usesChap && secretRef === undefined ? [required(`${path}.secretRef`)] : []),
    ...(initiatorName === undefined ? [] : validateInitiator(initiatorName, kinds, `${path}.initiatorname`)),
  ]
}

/** The portal and the volume's name together become a name of limited length where an initiator is given. */
export function isInitiatorNameTooLong({ initiatorName, targetPortal = '' }: Iscsi, volumeName: string): boolean {
  return initiatorName !== undefined && Buffer.byteLength(`${volumeName}:${targetPortal}`) > 64
}

export const initiatorTooLong =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'

export function validateFc({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (targetWWNs.length === 0) return errors
  if (wwids.length > 0) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously'
    errors.push(invalidValue(`${path}.targetWWNs`, targetWWNs, detail))
  }
  if (lun === undefined) return [...errors, required(`${path}.lun`, 'lun is required if targetWWNs is specified')]
  return [...errors, ...within(lun, 0, 255, `${path}.lun`)]
}

export function validateFlocker(
  { datasetName = '', datasetUUID = '' }: FlockerVolumeSource,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (datasetName === '' && datasetUUID === '') {
    errors.push(required(path, 'one of datasetName and datasetUUID is required'))
  }
  if (datasetName !== '' && datasetUUID !== '') {
    errors.push(invalidValue(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  }
  if (datasetName.includes('/')) {
    errors.push(invalidValue(`${path}.datasetName`, datasetName, "must not contain '/'"))
  }
  return errors
}

export function validateQuobyte(
  { registry = '', tenant = '', volume }: Partial<QuobyteVolumeSource>,
  path: string,
): FieldError[] {
  const rule = 'must be a host:port pair or multiple pairs separated by commas'
  const errors: FieldError[] = []
  if (registry === '') errors.push(required(`${path}.registry`, rule))
  else if (tenant.length >= 65) {
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  } else {
    for (const pair of registry.split(',')) {
      if (!/^([^:[\]]*|\[[^[\]]*\]):[^:]*$/.test(pair)) errors.push(invalidValue(`${path}.registry`, registry, rule))
    }
  }
  return [...errors, ...present({ volume }, path)]
}

interface Flex {
  readonly driver?: string | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
}

export function validateFlex({ driver, options }: Flex, path: string): FieldError[] {
  const errors = present({ driver }, path)
  for (const key of Object.keys(options ?? {})) {
    const domain = `.${(key.includes('/') ? (key.split('/')[0] ?? '') : key).toLowerCase()}`
    if (!domain.endsWith('.kubernetes.io') && !domain.endsWith('.k8s.io')) continue
    errors.push(invalidValue(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'))
  }
  return errors
}

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export function validateAzureDisk(disk: AzureDiskVolumeSource, path: string): FieldError[] {
  const { diskName, diskURI = '', cachingMode, kind } = disk as Partial<AzureDiskVolumeSource>
  const cachingModes = ['None', 'ReadOnly', 'ReadWrite']
  const kinds = ['Dedicated', 'Managed', 'Shared']
  const errors = present({ diskName, diskURI }, path)
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    errors.push(notSupported(`${path}.cachingMode`, cachingMode, cachingModes))
  }
  if (kind === undefined) return errors
  if (!kinds.includes(kind)) errors.push(notSupported(`${path}.kind`, kind, kinds))
  const isManaged = kind === 'Managed'
  if (!diskURI.startsWith(isManaged ? '/subscriptions/' : 'https://')) {
    errors.push(notSupported(`${path}.diskURI`, diskURI, [isManaged ? managedDisk : blobDisk]))
  }
  return errors
}

interface StorageOs {
  readonly volumeName?: string | undefined
  readonly volumeNamespace?: string | undefined
  readonly secretRef?: { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined
}

export function validateStorageOs(source: StorageOs, path: string): FieldError[] {
  const { volumeName = '', volumeNamespace = '', secretRef } = source
  return [
    ...(volumeName === ''
      ? [required(`${path}.volumeName`)]
      : invalidForEach(`${path}.volumeName`, volumeName, dnsLabel(volumeName))),
    ...(volumeNamespace === ''
      ? []
      : invalidForEach(`${path}.volumeNamespace`, volumeNamespace, dnsLabel(volumeNamespace))),
    ...(secretRef === undefined ? [] : present({ name: secretRef.name }, `${path}.secretRef`)),
  ]
}
