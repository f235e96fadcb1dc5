import { within } from '../../../meta/check-numbers.ts'
import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../../meta/field-errors.ts'
import { dnsLabel } from '../../../meta/names.ts'
import { compareQuantities } from '../../../meta/quantity.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { HostPathVolumeSource, Volume } from '../../../types/core.v1.ts'
import { validatePullPolicy } from './image-pull-policy.ts'
import { validateDescendingPath, validateNoBacksteps } from './validate-path.ts'
import { validateProjected } from './validate-projected.ts'
import { present, validateDownwardFiles, validateFileMode, validateItems } from './validate-volume-files.ts'

export interface CheckedVolumes {
  readonly errors: readonly FieldError[]
  /** By name, those in order: mounts of others are reported as not found. */
  readonly volumes: ReadonlyMap<string, Volume>
}

export function validateVolumes(volumes: readonly Volume[] | undefined, path: string): CheckedVolumes {
  const errors: FieldError[] = []
  const known = new Map<string, Volume>()
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`
    const own = validateVolumeSource(volume, at)
    const name = volume.name ?? ''
    if (name === '') own.push(required(`${at}.name`))
    else own.push(...invalidForEach(`${at}.name`, name, dnsLabel(name)))
    if (known.has(name)) own.push(duplicate(`${at}.name`, name))
    if (own.length === 0) known.set(name, volume)
    errors.push(...own)
  }
  return { errors, volumes: known }
}

type Check<Source> = (source: Source, path: string, volume: Volume) => FieldError[]
type SourceName = Exclude<keyof Volume, 'name'>

/** In the order of the API server: the first source present is checked, each further one is refused. */
const sourceChecks: { readonly [Name in SourceName]: Check<NonNullable<Volume[Name]>> } = {
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit !== undefined && compareQuantities(sizeLimit, '0') < 0
      ? [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: validateHostPath,
  gitRepo: ({ repository }, path) => present({ repository }, path),
  gcePersistentDisk: ({ pdName, partition }, path) => [
    ...present({ pdName }, path),
    ...within(partition, 0, 255, `${path}.partition`),
  ],
  awsElasticBlockStore: ({ volumeID, partition }, path) => [
    ...present({ volumeID }, path),
    ...within(partition, 0, 255, `${path}.partition`),
  ],
  secret: ({ secretName, defaultMode, items }, path) => [
    ...present({ secretName }, path),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, path),
  ],
  nfs: validateNfs,
  iscsi: ({ targetPortal, iqn, lun, secretRef, chapAuthDiscovery, chapAuthSession }, path) => [
    ...present({ targetPortal, iqn }, path),
    ...within(lun, 0, 255, `${path}.lun`),
    ...((chapAuthDiscovery || chapAuthSession) && secretRef === undefined ? [required(`${path}.secretRef`)] : []),
  ],
  glusterfs: ({ endpoints, path: folder }, path) => present({ endpoints, path: folder }, path),
  persistentVolumeClaim: ({ claimName }, path) => present({ claimName }, path),
  rbd: ({ monitors, image }, path) => [
    ...((monitors ?? []).length === 0 ? [required(`${path}.monitors`)] : []),
    ...present({ image }, path),
  ],
  cinder: ({ volumeID }, path) => present({ volumeID }, path),
  cephfs: ({ monitors }, path) => ((monitors ?? []).length === 0 ? [required(`${path}.monitors`)] : []),
  flocker: ({ datasetName = '', datasetUUID = '' }, path) =>
    datasetName === '' && datasetUUID === ''
      ? [required(path, 'one of datasetName and datasetUUID is required')]
      : validateDescendingPath(datasetName, `${path}.datasetName`),
  downwardAPI: ({ defaultMode, items }, path) => [
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateDownwardFiles(items, path),
  ],
  fc: ({ targetWWNs, wwids }, path) =>
    (targetWWNs ?? []).length === 0 && (wwids ?? []).length === 0
      ? [required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')]
      : [],
  azureFile: ({ secretName, shareName }, path) => present({ secretName, shareName }, path),
  configMap: ({ name, defaultMode, items }, path) => [
    ...present({ name }, path),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, path),
  ],
  vsphereVolume: ({ volumePath }, path) => present({ volumePath }, path),
  flexVolume: ({ driver }, path) => present({ driver }, path),
  quobyte: ({ registry, volume }, path) => present({ registry, volume }, path),
  photonPersistentDisk: ({ pdID }, path) => present({ pdID }, path),
  portworxVolume: ({ volumeID }, path) => present({ volumeID }, path),
  azureDisk: ({ diskName, diskURI }, path) => present({ diskName, diskURI }, path),
  storageos: ({ volumeName }, path) => present({ volumeName }, path),
  scaleIO: ({ gateway, system, volumeName }, path) => present({ gateway, system, volumeName }, path),
  projected: validateProjected,
  csi: ({ driver }, path) => present({ driver }, path),
  ephemeral: ({ volumeClaimTemplate }, path) =>
    volumeClaimTemplate === undefined ? [required(`${path}.volumeClaimTemplate`)] : [],
  image: ({ pullPolicy }, path) => validatePullPolicy(pullPolicy, `${path}.pullPolicy`),
}

function validateVolumeSource(volume: Volume, path: string): FieldError[] {
  const names = Object.keys(sourceChecks) as SourceName[]
  const given = names.filter((name) => volume[name] !== undefined)
  const [first] = given
  if (first === undefined) return [required(path, 'must specify a volume type')]
  const check = sourceChecks[first] as Check<unknown>
  const refused = given
    .slice(1)
    .map((name) => forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'))
  return [...check(volume[first], `${path}.${first}`, volume), ...refused]
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

export function validateHostPath({ path: folder, type }: HostPathVolumeSource, path: string): FieldError[] {
  if (folder === '') return [required(`${path}.path`)]
  const errors = validateNoBacksteps(folder, `${path}.path`)
  if (type !== undefined && !hostPathTypes.includes(type))
    errors.push(notSupported(`${path}.type`, type, hostPathTypes))
  return errors
}

export function validateNfs(nfs: NonNullable<Volume['nfs']>, path: string): FieldError[] {
  const errors = present({ server: nfs.server, path: nfs.path }, path)
  if (!(nfs.path ?? '').startsWith('/'))
    errors.push(invalidValue(`${path}.path`, nfs.path ?? '', 'must be an absolute path'))
  return errors
}
