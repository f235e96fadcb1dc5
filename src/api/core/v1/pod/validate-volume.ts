import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../../meta/names.ts'
import { compareQuantities } from '../../../meta/quantity.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { CSIVolumeSource, HostPathVolumeSource, Volume } from '../../../types/core.v1.ts'
import { validateClaimTemplate } from '../validate-claim-spec.ts'
import { ephemeralClaimName } from '../volume-facts.ts'
import { validatePullPolicy } from './image-pull-policy.ts'
import {
  initiatorTooLong,
  isInitiatorNameTooLong,
  validateAzureDisk,
  validateFc,
  validateFlex,
  validateFlocker,
  validateIscsi,
  validateNfs,
  validatePartition,
  validateQuobyte,
  validateStorageOs,
} from './validate-old-drivers.ts'
import { validateDescendingPath, validateNoBacksteps } from './validate-path.ts'
import { validateProjected } from './validate-projected.ts'
import { present, validateDownwardFile, validateFileMode, validateItems } from './validate-volume-files.ts'

export interface CheckedVolumes {
  readonly errors: readonly FieldError[]
  /** By name, those in order: mounts of others are reported as not found. */
  readonly volumes: ReadonlyMap<string, Volume>
}

/** `podName` is that of the pod; templates have none. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  podName: string | undefined,
  path: string,
): CheckedVolumes {
  const errors: FieldError[] = []
  const known = new Map<string, Volume>()
  const made = claimsMadeFor(volumes ?? [], podName)
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`
    const own = validateVolumeSource(volume, { podName, path: at })
    const name = volume.name ?? ''
    if (name === '') own.push(required(`${at}.name`))
    else own.push(...invalidForEach(`${at}.name`, name, dnsLabel(name)))
    if (known.has(name)) own.push(duplicate(`${at}.name`, name))
    if (own.length === 0) known.set(name, volume)
    errors.push(...own)
    const claimName = volume.persistentVolumeClaim?.claimName
    if (claimName !== undefined && made.has(claimName)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume'
      errors.push(invalidValue(`${at}.persistentVolumeClaim.claimName`, claimName, detail))
    }
  }
  return { errors, volumes: known }
}

function claimsMadeFor(volumes: readonly Volume[], podName: string | undefined): ReadonlySet<string> {
  if (podName === undefined) return new Set()
  const ephemeral = volumes.filter((volume) => volume.ephemeral !== undefined)
  return new Set(ephemeral.map(({ name }) => ephemeralClaimName(podName, name)))
}

interface Place {
  readonly podName: string | undefined
  /** Of the volume. */
  readonly path: string
}

type Check<Source> = (source: Source, path: string, volume: Volume, place: Place) => FieldError[]
type SourceName = Exclude<keyof Volume, 'name'>

const none = (): FieldError[] => []

function monitored(source: { readonly monitors?: readonly string[] | undefined }, path: string): FieldError[] {
  return (source.monitors ?? []).length === 0 ? [required(`${path}.monitors`)] : []
}

/** In the order of the API server: the first source present is checked, each further one is refused. */
const sourceChecks: { readonly [Name in SourceName]: Check<NonNullable<Volume[Name]>> } = {
  emptyDir: ({ sizeLimit }, path) =>
    sizeLimit !== undefined && compareQuantities(sizeLimit, '0') < 0
      ? [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: validateHostPath,
  gitRepo: ({ repository, directory }, path) => [
    ...present({ repository }, path),
    ...validateDescendingPath(directory ?? '', `${path}.directory`),
  ],
  gcePersistentDisk: (disk, path) => [...present({ pdName: disk.pdName }, path), ...validatePartition(disk, path)],
  awsElasticBlockStore: (disk, path) => [
    ...present({ volumeID: disk.volumeID }, path),
    ...validatePartition(disk, path),
  ],
  secret: ({ secretName, defaultMode, items }, path) => [
    ...present({ secretName }, path),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, path),
  ],
  nfs: validateNfs,
  iscsi: (iscsi, path, { name }, place) => [
    ...validateIscsi(iscsi, ' starting with iqn, eui, or naa', path),
    ...(isInitiatorNameTooLong(iscsi, name) ? [invalidValue(`${place.path}.name`, name, initiatorTooLong)] : []),
  ],
  glusterfs: ({ endpoints, path: folder }, path) => present({ endpoints, path: folder }, path),
  flocker: validateFlocker,
  persistentVolumeClaim: ({ claimName }, path) => present({ claimName }, path),
  rbd: (rbd, path) => [...monitored(rbd, path), ...present({ image: rbd.image }, path)],
  cinder: ({ volumeID, secretRef }, path) => [
    ...present({ volumeID }, path),
    ...(secretRef === undefined ? [] : present({ name: secretRef.name }, `${path}.secretRef`)),
  ],
  cephfs: monitored,
  quobyte: validateQuobyte,
  downwardAPI: ({ defaultMode, items }, path) => [
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...(items ?? []).flatMap((file) => validateDownwardFile(file, path)),
  ],
  fc: validateFc,
  flexVolume: validateFlex,
  configMap: ({ name, defaultMode, items }, path) => [
    ...present({ name }, path),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, path),
  ],
  azureFile: ({ secretName, shareName }, path) => present({ secretName, shareName }, path),
  vsphereVolume: ({ volumePath }, path) => present({ volumePath }, path),
  photonPersistentDisk: ({ pdID }, path) => present({ pdID }, path),
  portworxVolume: ({ volumeID }, path) => present({ volumeID }, path),
  azureDisk: validateAzureDisk,
  storageos: validateStorageOs,
  projected: validateProjected,
  scaleIO: ({ gateway, system, volumeName }, path) => present({ gateway, system, volumeName }, path),
  csi: validateCsi,
  ephemeral: ({ volumeClaimTemplate }, path, { name }, place) => [
    ...(volumeClaimTemplate === undefined
      ? [required(`${path}.volumeClaimTemplate`)]
      : validateClaimTemplate(volumeClaimTemplate, `${path}.volumeClaimTemplate`)),
    ...validateMadeClaimName(name, place),
  ],
  image: ({ reference = '', pullPolicy }, path, _volume, { podName }) => [
    ...(podName === undefined ? none() : present({ reference }, path)),
    ...validatePullPolicy(pullPolicy, `${path}.pullPolicy`),
  ],
}

/** Where a refused source, or the errors of a checked one, are named otherwise than the field. */
const refusedAs: Readonly<Partial<Record<SourceName, string>>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }
const checkedAs: Readonly<Partial<Record<SourceName, string>>> = { gcePersistentDisk: 'persistentDisk' }

function validateVolumeSource(volume: Volume, place: Place): FieldError[] {
  const { path } = place
  const names = Object.keys(sourceChecks) as SourceName[]
  const [first, ...others] = names.filter((name) => volume[name] !== undefined)
  if (first === undefined) return [required(path, 'must specify a volume type')]
  const check = sourceChecks[first] as Check<unknown>
  const refused = others.map((name) =>
    forbiddenField(`${path}.${refusedAs[name] ?? name}`, 'may not specify more than 1 volume type'),
  )
  return [...check(volume[first], `${path}.${checkedAs[first] ?? first}`, volume, place), ...refused]
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
  if ((folder ?? '') === '') return [required(`${path}.path`)]
  const errors = validateNoBacksteps(folder, `${path}.path`)
  if (type !== undefined && !hostPathTypes.includes(type))
    errors.push(notSupported(`${path}.type`, type, hostPathTypes))
  return errors
}

const longestDriver = 63

/** Names of CSI drivers may be written with capitals. */
export function validateDriverName(driver: string | undefined, path: string): FieldError[] {
  if (driver === undefined || driver === '') return [required(path)]
  return [
    ...(Buffer.byteLength(driver) > longestDriver ? [tooLong(path, longestDriver)] : []),
    ...invalidForEach(path, driver, dnsSubdomain(driver.toLowerCase())),
  ]
}

function validateCsi({ driver, nodePublishSecretRef: secret }: CSIVolumeSource, path: string): FieldError[] {
  const errors = validateDriverName(driver, `${path}.driver`)
  if (secret === undefined) return errors
  const { name = '' } = secret
  if (name === '') return [...errors, required(`${path}.nodePublishSecretRef.name`)]
  return [...errors, ...invalidForEach(`${path}.name`, name, dnsSubdomain(name))]
}

function validateMadeClaimName(volumeName: string, { podName, path }: Place): FieldError[] {
  if (podName === undefined || (volumeName ?? '') === '') return []
  const claim = ephemeralClaimName(podName, volumeName)
  return dnsSubdomain(claim).map((why) => invalidValue(`${path}.name`, volumeName, `PVC name "${claim}": ${why}`))
}
