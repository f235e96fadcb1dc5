import { forbiddenField, invalidValue, notFoundValue, notSupported, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, Volume, VolumeDevice, VolumeMount } from '../../../types/core.v1.ts'
import { hasBacksteps, validateDescendingPath } from './validate-path.ts'

type Volumes = ReadonlyMap<string, Volume>

/** Of two mounts or devices of one name the later counts. */
function pathsByName<T extends { readonly name: string }>(
  entries: readonly T[] | undefined,
  pathOf: (entry: T) => string,
): ReadonlyMap<string, string> {
  return new Map((entries ?? []).map((entry) => [entry.name, pathOf(entry)]))
}

export function validateMounts(container: Container, volumes: Volumes, path: string): FieldError[] {
  const paths = new Set<string>()
  const devices = pathsByName(container.volumeDevices, ({ devicePath }) => devicePath)
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`
    const { name = '', mountPath = '' } = mount as Partial<VolumeMount>
    const errors: FieldError[] = []
    if (name === '') errors.push(required(`${at}.name`))
    if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name))
    if (mountPath === '') errors.push(required(`${at}.mountPath`))
    if (paths.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    if (devices.has(name)) errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeDevices'))
    if ([...devices.values()].includes(mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    return [
      ...errors,
      ...validateSubPaths(mount, path, at),
      ...validatePropagation(mount, container, `${path}.mountPropagation`),
      ...validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`),
    ]
  })
}

/** The API server leaves the index of the mount out of most of these paths. */
function validateSubPaths({ subPath = '', subPathExpr = '' }: VolumeMount, path: string, at: string): FieldError[] {
  const errors = subPath === '' ? [] : validateDescendingPath(subPath, `${path}.subPath`)
  if (subPathExpr === '') return errors
  if (subPath !== '') {
    errors.push(invalidValue(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  }
  return [...errors, ...validateDescendingPath(subPathExpr, `${path}.subPathExpr`)]
}

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function validatePropagation({ mountPropagation }: VolumeMount, container: Container, path: string): FieldError[] {
  if (mountPropagation === undefined) return []
  const errors = propagations.includes(mountPropagation) ? [] : [notSupported(path, mountPropagation, propagations)]
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbiddenField(path, detail))
  }
  return errors
}

const recursions = ['Disabled', 'Enabled', 'IfPossible']

function validateRecursiveReadOnly(mount: VolumeMount, path: string): FieldError[] {
  const { recursiveReadOnly, readOnly, mountPropagation } = mount
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return []
  if (!recursions.includes(recursiveReadOnly)) return [notSupported(path, recursiveReadOnly, recursions)]
  const errors: FieldError[] = []
  if (readOnly !== true) errors.push(forbiddenField(path, 'may only be specified when readOnly is true'))
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(forbiddenField(path, 'may only be specified when mountPropagation is None or not specified'))
  }
  return errors
}

/** Volumes that a container sees as block devices. */
export function validateDevices(container: Container, volumes: Volumes, path: string): FieldError[] {
  const context: DeviceContext = {
    volumes,
    names: new Set(),
    paths: new Set(),
    mounts: pathsByName(container.volumeMounts, ({ mountPath }) => mountPath),
  }
  return (container.volumeDevices ?? []).flatMap((device, index) =>
    validateDevice(device, context, `${path}[${index}]`),
  )
}

interface DeviceContext {
  readonly volumes: Volumes
  readonly names: Set<string>
  readonly paths: Set<string>
  readonly mounts: ReadonlyMap<string, string>
}

function validateDevice(device: VolumeDevice, context: DeviceContext, path: string): FieldError[] {
  const { name = '', devicePath = '' } = device as Partial<VolumeDevice>
  const errors: FieldError[] = []
  if (name === '') errors.push(required(`${path}.name`))
  if (context.names.has(name)) errors.push(invalidValue(`${path}.name`, name, 'must be unique'))
  errors.push(...validateDeviceVolume(name, context.volumes.get(name), `${path}.name`))
  if (devicePath === '') errors.push(required(`${path}.devicePath`))
  if (context.paths.has(devicePath)) errors.push(invalidValue(`${path}.devicePath`, devicePath, 'must be unique'))
  if (hasBacksteps(devicePath)) {
    errors.push(invalidValue(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"))
  } else context.paths.add(devicePath)
  if (context.mounts.has(name)) {
    errors.push(invalidValue(`${path}.name`, name, 'must not already exist in volumeMounts'))
  }
  if ([...context.mounts.values()].includes(devicePath)) {
    errors.push(invalidValue(`${path}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
  }
  if (name !== '') context.names.add(name)
  return errors
}

function validateDeviceVolume(name: string, volume: Volume | undefined, path: string): FieldError[] {
  if (volume === undefined) return [notFoundValue(path, name)]
  if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return []
  const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
  return [invalidValue(path, name, detail)]
}
