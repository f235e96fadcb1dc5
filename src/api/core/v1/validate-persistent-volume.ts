import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import { sortedMap } from '../../meta/validate-labels.ts'
import type { CSIPersistentVolumeSource, PersistentVolume, PersistentVolumeSpec } from '../../types/core.v1.ts'
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
} from './pod/validate-old-drivers.ts'
import { validateNoBacksteps } from './pod/validate-path.ts'
import { present } from './pod/validate-volume-files.ts'
import { validateDriverName, validateHostPath } from './pod/validate-volume.ts'
import { validateAccessModes } from './validate-access-modes.ts'
import { validateBytes } from './validate-claim-status.ts'
import { validateNodeSelector } from './validate-node-selector.ts'

const reclaimPolicies = ['Delete', 'Recycle', 'Retain']

/** Errors of a volume, in the order of the API server. */
export function validatePersistentVolume({ metadata, spec }: PersistentVolume): FieldError[] {
  const errors = (spec.accessModes ?? []).length === 0 ? [required('spec.accessModes')] : []
  errors.push(...validateAccessModes(spec.accessModes, 'spec.accessModes'))
  errors.push(...validateCapacity(spec.capacity, 'spec.capacity'))
  const policy = spec.persistentVolumeReclaimPolicy ?? ''
  const policyPath = 'spec.persistentVolumeReclaimPolicy'
  if (policy !== '' && !reclaimPolicies.includes(policy)) {
    errors.push(notSupported(policyPath, policy, reclaimPolicies))
  }
  errors.push(...validateNodeAffinity(spec, 'spec.nodeAffinity'), ...validateSources(spec, metadata.name))
  if (policy === 'Recycle' && /^\/[./]*$/.test(spec.hostPath?.path ?? '')) {
    errors.push(forbiddenField(policyPath, "may not be 'recycle' for a hostPath mount of '/'"))
  }
  return [...errors, ...validateClasses(spec)]
}

function validateNodeAffinity({ nodeAffinity }: PersistentVolumeSpec, path: string): FieldError[] {
  if (nodeAffinity === undefined) return []
  if (nodeAffinity.required !== undefined) return validateNodeSelector(nodeAffinity.required, `${path}.required`)
  return [required(`${path}.required`, 'must specify required node constraints')]
}

function validateClasses(spec: PersistentVolumeSpec): FieldError[] {
  const { storageClassName = '', volumeMode, volumeAttributesClassName: attributes } = spec
  const errors =
    storageClassName === ''
      ? []
      : invalidForEach('spec.storageClassName', storageClassName, dnsSubdomain(storageClassName))
  const modes = ['Block', 'Filesystem']
  if (volumeMode !== undefined && !modes.includes(volumeMode)) {
    errors.push(notSupported('spec.volumeMode', volumeMode, modes))
  }
  if (attributes === undefined) return errors
  const path = 'spec.volumeAttributesClassName'
  if (attributes === '') errors.push(required(path, 'an empty string is disallowed'))
  else errors.push(...invalidForEach(path, attributes, dnsSubdomain(attributes)))
  if (spec.csi !== undefined) return errors
  return [...errors, required('spec.csi', 'has to be specified when using volumeAttributesClassName')]
}

function validateCapacity(capacity: PersistentVolumeSpec['capacity'], path: string): FieldError[] {
  const entries = Object.entries(capacity ?? {})
  const errors: FieldError[] = []
  if (entries.length === 0) errors.push(required(path))
  if (capacity?.['storage'] === undefined || entries.length > 1) {
    errors.push(notSupported(path, sortedMap(capacity), ['storage']))
  }
  for (const [name, quantity] of entries) {
    const at = `${path}[${name}]`
    errors.push(...validateBytes(quantity, at))
    if (compareQuantities(quantity, '0') <= 0) errors.push(invalidValue(at, quantity, 'must be greater than zero'))
  }
  return errors
}

type Check<Source> = (source: Source, path: string, name: string) => FieldError[]

/** Sources of volumes, in the order of the API server. */
export const volumeSources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const

type SourceName = (typeof volumeSources)[number]

function monitored(source: { readonly monitors?: readonly string[] | undefined }, path: string): FieldError[] {
  return (source.monitors ?? []).length === 0 ? [required(`${path}.monitors`)] : []
}

const sourceChecks: { readonly [Name in SourceName]: Check<NonNullable<PersistentVolumeSpec[Name]>> } = {
  hostPath: validateHostPath,
  gcePersistentDisk: (disk, path) => [...present({ pdName: disk.pdName }, path), ...validatePartition(disk, path)],
  awsElasticBlockStore: (disk, path) => [
    ...present({ volumeID: disk.volumeID }, path),
    ...validatePartition(disk, path),
  ],
  glusterfs: ({ endpoints, path: folder, endpointsNamespace: namespace }, path) => [
    ...present({ endpoints, path: folder }, path),
    ...validateEndpointsNamespace(namespace, `${path}.endpointsNamespace`),
  ],
  flocker: validateFlocker,
  nfs: validateNfs,
  rbd: (rbd, path) => [...monitored(rbd, path), ...present({ image: rbd.image }, path)],
  quobyte: validateQuobyte,
  cephfs: monitored,
  iscsi: (iscsi, path, name) => [
    ...(isInitiatorNameTooLong(iscsi, name)
      ? [invalidValue(`${path}.targetportal`, iscsi.targetPortal ?? '', initiatorTooLong)]
      : []),
    ...validateIscsi(iscsi, '', path),
    ...(iscsi.secretRef === undefined ? [] : present({ name: iscsi.secretRef.name }, `${path}.secretRef`)),
  ],
  cinder: ({ volumeID, secretRef }, path) => [
    ...present({ volumeID }, path),
    ...(secretRef === undefined
      ? []
      : present({ name: secretRef.name, namespace: secretRef.namespace }, `${path}.secretRef`)),
  ],
  fc: validateFc,
  flexVolume: validateFlex,
  azureFile: ({ secretName, shareName, secretNamespace }, path) => [
    ...present({ secretName, shareName }, path),
    ...(secretNamespace === '' ? [required(`${path}.secretNamespace`)] : []),
  ],
  vsphereVolume: ({ volumePath }, path) => present({ volumePath }, path),
  photonPersistentDisk: ({ pdID }, path) => present({ pdID }, path),
  portworxVolume: ({ volumeID }, path) => present({ volumeID }, path),
  azureDisk: validateAzureDisk,
  scaleIO: ({ gateway, system, volumeName }, path) => present({ gateway, system, volumeName }, path),
  local: ({ path: folder }, path) => {
    const missing = present({ path: folder }, path)
    return missing.length > 0 ? missing : validateNoBacksteps(folder, `${path}.path`)
  },
  storageos: (source, path) => [
    ...validateStorageOs(source, path),
    ...(source.secretRef === undefined ? [] : present({ namespace: source.secretRef.namespace }, `${path}.secretRef`)),
  ],
  csi: validateCsi,
}

function validateEndpointsNamespace(namespace: string | undefined, path: string): FieldError[] {
  if (namespace === undefined) return []
  if (namespace !== '') return invalidForEach(path, namespace, dnsLabel(namespace))
  return [invalidValue(path, namespace, 'if the endpointnamespace is set, it must be a valid namespace name')]
}

const checkedSecrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function validateCsi(csi: CSIPersistentVolumeSource, path: string): FieldError[] {
  const errors = [
    ...validateDriverName(csi.driver, `${path}.driver`),
    ...present({ volumeHandle: csi.volumeHandle }, path),
  ]
  for (const field of checkedSecrets) {
    const secret = csi[field]
    if (secret === undefined) continue
    const { name = '', namespace = '' } = secret
    const at = `${path}.${field}`
    errors.push(...(name === '' ? [required(`${at}.name`)] : invalidForEach(`${at}.name`, name, dnsSubdomain(name))))
    errors.push(
      ...(namespace === ''
        ? [required(`${at}.namespace`)]
        : invalidForEach(`${at}.namespace`, namespace, dnsLabel(namespace))),
    )
  }
  return errors
}

/** The first source present is checked, each further one is refused; only `flexVolume` is always looked at. */
function validateSources(spec: PersistentVolumeSpec, name: string): FieldError[] {
  const given = volumeSources.filter((source) => spec[source] !== undefined)
  if (given.length === 0) return [required('spec', 'must specify a volume type')]
  return given.flatMap((source, index) => {
    if (index > 0 && source !== 'flexVolume') {
      return [
        forbiddenField(`spec.${source === 'cephfs' ? 'cephFS' : source}`, 'may not specify more than 1 volume type'),
      ]
    }
    const path = `spec.${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`
    const errors = (sourceChecks[source] as Check<unknown>)(spec[source], path, name)
    if (source !== 'local' || spec.nodeAffinity !== undefined) return errors
    return [...errors, required('spec.nodeAffinity', 'Local volume requires node affinity')]
  })
}

const mountAnnotation = 'volume.beta.kubernetes.io/mount-options'
const mountable: readonly SourceName[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'portworxVolume',
  'csi',
]

/** Options for the mount, where there is none. */
export function validateMountOptions({ metadata, spec }: PersistentVolume): FieldError[] {
  if (metadata.annotations?.[mountAnnotation] === undefined) return []
  if (mountable.some((source) => spec[source] !== undefined)) return []
  const detail = 'may not specify mount options for this volume type'
  return [forbiddenField(`metadata.annotations.${mountAnnotation}`, detail)]
}
