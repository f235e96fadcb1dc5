import { validatePort } from '../../../meta/check-numbers.ts'
import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../../../meta/field-errors.ts'
import { dnsLabel, portName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, PodSpec, Volume, VolumeDevice, VolumeMount } from '../../../types/core.v1.ts'
import { isSidecar } from '../pod-facts.ts'
import { validateResourceRequirements } from '../validate-resources.ts'
import { validatePullPolicy } from './image-pull-policy.ts'
import { validateEnvironment } from './validate-env.ts'
import { validateDescendingPath, validateNoBacksteps } from './validate-path.ts'
import { validateLifecycle, validateProbes } from './validate-probe.ts'
import { validateContainerSecurity } from './validate-security-context.ts'

/** What the containers of a pod refer to. */
export interface ContainerContext {
  readonly spec: PodSpec
  /** By name; only volumes that are themselves in order. */
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claimNames: ReadonlySet<string>
  readonly graceSeconds: number
}

export function validateContainers(context: ContainerContext, path: string): FieldError[] {
  const containers = context.spec.containers ?? []
  if (containers.length === 0) return [required(path)]
  const names = new Set<string>()
  const errors = containers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    const own = validateCommon(container, context, at)
    if (names.has(container.name)) own.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    return [...own, ...validateRunning(container, context, at)]
  })
  return [...errors, ...validateHostPortConflicts(containers, path)]
}

export function validateInitContainers(context: ContainerContext, path: string): FieldError[] {
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name))
  return (context.spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = validateCommon(container, context, at)
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    else if (container.name !== '') names.add(container.name)
    errors.push(...validateHostPortConflicts([container], `${path}[${index}].ports`))
    if (isSidecar(container)) return [...errors, ...validateRunning(container, context, at)]
    return [...errors, ...refuseRunningParts(container, at)]
  })
}

const refusedInEphemeral = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'restartPolicy',
] as const

export function validateEphemeralContainers(context: ContainerContext, path: string): FieldError[] {
  const { containers, initContainers } = context.spec
  const others = new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name))
  const names = new Set<string>()
  return (context.spec.ephemeralContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = validateCommon(container, context, at)
    if (others.has(container.name) || names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    const target = container.targetContainerName ?? ''
    if (target !== '' && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target))
    for (const field of refusedInEphemeral) {
      if (container[field] === undefined) continue
      const detail =
        field === 'restartPolicy'
          ? 'may not be set for non-init containers'
          : 'cannot be set for an Ephemeral Container'
      errors.push(forbiddenField(`${at}.${field}`, detail))
    }
    const { limits, requests, claims } = container.resources ?? {}
    if ([limits, requests, claims].some((part) => Object.keys(part ?? {}).length > 0)) {
      errors.push(forbiddenField(`${at}.resources`, 'cannot be set for an Ephemeral Container'))
    }
    return errors
  })
}

/** Containers that stay: they have hooks and probes. */
function validateRunning(container: Container, context: ContainerContext, path: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, context.graceSeconds, `${path}.lifecycle`),
    ...validateProbes(container, context.graceSeconds, path),
    ...validateRestartPolicy(container, path),
  ]
}

function refuseRunningParts(container: Container, path: string): FieldError[] {
  const parts = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const
  const detail = 'may not be set for init containers without restartPolicy=Always'
  const refused = parts.filter((part) => container[part] !== undefined)
  return [
    ...refused.map((part) => forbiddenField(`${path}.${part}`, detail)),
    ...validateRestartPolicy(container, path),
  ]
}

const restartPolicies = ['Always', 'Never', 'OnFailure']

function validateRestartPolicy({ restartPolicy, restartPolicyRules }: Container, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (restartPolicy !== undefined && !restartPolicies.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, restartPolicies))
  }
  if ((restartPolicyRules ?? []).length > 0 && restartPolicy === undefined) {
    errors.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  }
  return errors
}

/** What all kinds of containers have in common. */
function validateCommon(container: Container, context: ContainerContext, path: string): FieldError[] {
  const { name, image = '', terminationMessagePolicy: policy } = container
  return [
    ...(name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, dnsLabel(name))),
    ...(image === '' ? [required(`${path}.image`)] : []),
    ...validateMessagePolicy(policy, `${path}.terminationMessagePolicy`),
    ...validatePorts(container, context.spec, `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, context.volumes, `${path}.volumeMounts`),
    ...validateDevices(container, context.volumes, `${path}.volumeDevices`),
    ...validatePullPolicy(container.imagePullPolicy, `${path}.imagePullPolicy`),
    ...validateResourceRequirements(container.resources, context.claimNames, `${path}.resources`),
    ...validateContainerSecurity(container.securityContext, context.spec, `${path}.securityContext`),
  ]
}

function validateMessagePolicy(policy: string | undefined, path: string): FieldError[] {
  if (policy === 'File' || policy === 'FallbackToLogsOnError') return []
  if (policy === undefined || policy === '') return [required(path)]
  return [notSupported(path, policy, ['File', 'FallbackToLogsOnError'])]
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePorts({ ports }: Container, spec: PodSpec, path: string): FieldError[] {
  const names = new Set<string>()
  return (ports ?? []).flatMap((port, index) => {
    const at = `${path}[${index}]`
    const { name = '', containerPort, hostPort = 0, protocol = '' as string } = port
    const errors: FieldError[] = []
    if (name !== '') {
      const wrong = portName(name)
      if (wrong.length > 0) errors.push(...invalidForEach(`${at}.name`, name, wrong))
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
      names.add(name)
    }
    if (containerPort === 0) errors.push(required(`${at}.containerPort`))
    else errors.push(...validatePort(containerPort, `${at}.containerPort`))
    if (hostPort !== 0) errors.push(...validatePort(hostPort, `${at}.hostPort`))
    if (spec.hostNetwork === true && hostPort !== 0 && hostPort !== containerPort) {
      errors.push(invalidValue(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'))
    }
    if (protocol === '') errors.push(required(`${at}.protocol`))
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, protocols))
    return errors
  })
}

function validateHostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>()
  return containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, portIndex) => {
      if (hostPort === 0) return []
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(key)) return [duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key)]
      taken.add(key)
      return []
    }),
  )
}

function validateMounts(container: Container, volumes: ReadonlyMap<string, Volume>, path: string): FieldError[] {
  const paths = new Set<string>()
  const devices = container.volumeDevices ?? []
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`
    const { name, mountPath } = mount
    const errors: FieldError[] = []
    if (name === '') errors.push(required(`${at}.name`))
    if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name))
    if (mountPath === '') errors.push(required(`${at}.mountPath`))
    if (paths.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    if (devices.some((device) => device.name === name)) {
      errors.push(invalidValue(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    return [...errors, ...validateSubPaths(mount, path), ...validatePropagation(mount, container, at)]
  })
}

/** The API server leaves the index of the mount out of these paths. */
function validateSubPaths({ subPath = '', subPathExpr = '' }: VolumeMount, path: string): FieldError[] {
  const errors = subPath === '' ? [] : validateDescendingPath(subPath, `${path}.subPath`)
  if (subPathExpr === '') return errors
  if (subPath !== '') {
    errors.push(invalidValue(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  }
  return [...errors, ...validateDescendingPath(subPathExpr, `${path}.subPathExpr`)]
}

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function validatePropagation(mount: VolumeMount, container: Container, path: string): FieldError[] {
  const { mountPropagation, recursiveReadOnly, readOnly } = mount
  const errors: FieldError[] = []
  if (mountPropagation !== undefined && !propagations.includes(mountPropagation)) {
    errors.push(notSupported(`${path}.mountPropagation`, mountPropagation, propagations))
  }
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbiddenField(`${path}.mountPropagation`, detail))
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    const allowed = ['Disabled', 'IfPossible', 'Enabled']
    return [...errors, notSupported(`${path}.recursiveReadOnly`, recursiveReadOnly, allowed)]
  }
  if (readOnly !== true) {
    errors.push(forbiddenField(`${path}.recursiveReadOnly`, 'may only be specified when readOnly is true'))
  }
  return errors
}

function validateDevices(container: Container, volumes: ReadonlyMap<string, Volume>, path: string): FieldError[] {
  const names = new Set<string>()
  const paths = new Set<string>()
  return (container.volumeDevices ?? []).flatMap((device, index) =>
    validateDevice(device, { names, paths, volumes }, `${path}[${index}]`),
  )
}

interface DeviceContext {
  readonly names: Set<string>
  readonly paths: Set<string>
  readonly volumes: ReadonlyMap<string, Volume>
}

function validateDevice({ name, devicePath }: VolumeDevice, context: DeviceContext, path: string): FieldError[] {
  const errors: FieldError[] = []
  const volume = context.volumes.get(name)
  if (name === '') errors.push(required(`${path}.name`))
  if (context.names.has(name)) errors.push(invalidValue(`${path}.name`, name, 'must be unique'))
  if (volume === undefined) errors.push(notFoundValue(`${path}.name`, name))
  else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
    const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
    errors.push(invalidValue(`${path}.name`, name, detail))
  }
  if (devicePath === '') errors.push(required(`${path}.devicePath`))
  else if (context.paths.has(devicePath)) errors.push(invalidValue(`${path}.devicePath`, devicePath, 'must be unique'))
  else errors.push(...validateNoBacksteps(devicePath, `${path}.devicePath`))
  context.names.add(name)
  context.paths.add(devicePath)
  return errors
}
