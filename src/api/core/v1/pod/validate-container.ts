import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../../../meta/field-errors.ts'
import { dnsLabel } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, ContainerResizePolicy, EphemeralContainer, PodSpec, Volume } from '../../../types/core.v1.ts'
import { isSidecar } from '../pod-facts.ts'
import { validateResourceRequirements } from '../validate-resources.ts'
import { validatePullPolicy } from './image-pull-policy.ts'
import { validateHostPortConflicts, validatePorts } from './validate-container-ports.ts'
import { validateEnvironment } from './validate-env.ts'
import { validateDevices, validateMounts } from './validate-mounts.ts'
import { validateLifecycle, validateProbes } from './validate-probe.ts'
import { validateInitRestartPolicy, validateRestartPolicy } from './validate-restart-policy.ts'
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
    return [...own, ...validateRunning(container, context, at), ...validateRestartPolicy(container, at)]
  })
  return [...errors, ...validateHostPortConflicts(containers, path)]
}

export function validateInitContainers(context: ContainerContext, path: string): FieldError[] {
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name))
  return (context.spec.initContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = [...validateCommon(container, context, at), ...validateInitRestartPolicy(container, at)]
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    else if (container.name !== '') names.add(container.name)
    // Each runs alone: it can only be in its own way.
    errors.push(...validateHostPortConflicts([container], path))
    if (isSidecar(container)) return [...errors, ...validateRunning(container, context, at)]
    return [...errors, ...refuseRunningParts(container, at), ...validateInitResizePolicy(container, at)]
  })
}

const refusedInEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const

export function validateEphemeralContainers(context: ContainerContext, path: string): FieldError[] {
  const { containers, initContainers } = context.spec
  const others = new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name))
  const names = new Set(others)
  return (context.spec.ephemeralContainers ?? []).flatMap((container, index) => {
    const at = `${path}[${index}]`
    const errors = [...validateCommon(container, context, at), ...validateImageText(container, at)]
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    const target = container.targetContainerName ?? ''
    if (target !== '' && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target))
    return [...errors, ...refuseInEphemeral(container, at)]
  })
}

/** Ephemeral containers are for a look, not for service. */
function refuseInEphemeral(container: EphemeralContainer, path: string): FieldError[] {
  const detail = 'cannot be set for an Ephemeral Container'
  const isSet = (field: (typeof refusedInEphemeral)[number]): boolean =>
    field === 'resources' ? Object.keys(container.resources ?? {}).length > 0 : container[field] !== undefined
  const errors = refusedInEphemeral.filter(isSet).map((field) => forbiddenField(`${path}.${field}`, detail))
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    for (const field of ['subPath', 'subPathExpr'] as const) {
      if ((mount[field] ?? '') === '') continue
      errors.push(forbiddenField(`${path}.volumeMounts[${index}].${field}`, detail))
    }
  }
  return errors
}

/** Only pods insist on it: templates have been seen with blanks for an image to be filled in. */
export function validateImageText({ image = '' }: Container, path: string): FieldError[] {
  if (image.trim() === image) return []
  return [invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace')]
}

/** Containers that stay: they have hooks and probes. */
function validateRunning(container: Container, context: ContainerContext, path: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, context.graceSeconds, `${path}.lifecycle`),
    ...validateProbes(container, context.graceSeconds, path),
  ]
}

function refuseRunningParts(container: Container, path: string): FieldError[] {
  const parts = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const
  const detail = 'may not be set for init containers without restartPolicy=Always'
  const refused = parts.filter((part) => container[part] !== undefined)
  return refused.map((part) => forbiddenField(`${path}.${part}`, detail))
}

/** What all kinds of containers have in common. */
function validateCommon(container: Container, context: ContainerContext, path: string): FieldError[] {
  const { name = '', image = '', terminationMessagePolicy: policy } = container as Partial<Container>
  return [
    ...(name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, dnsLabel(name))),
    ...(image === '' ? [required(`${path}.image`)] : []),
    ...validateMessagePolicy(policy, `${path}.terminationMessagePolicy`),
    ...validatePorts(container, `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, context.volumes, `${path}.volumeMounts`),
    ...validateDevices(container, context.volumes, `${path}.volumeDevices`),
    ...validatePullPolicy(container.imagePullPolicy, `${path}.imagePullPolicy`),
    ...validateResourceRequirements(container.resources, context.claimNames, `${path}.resources`),
    ...validateResizePolicy(container, context.spec, `${path}.resizePolicy`),
    ...validateContainerSecurity(container.securityContext, context.spec, `${path}.securityContext`),
  ]
}

function validateMessagePolicy(policy: string | undefined, path: string): FieldError[] {
  if (policy === 'File' || policy === 'FallbackToLogsOnError') return []
  if (policy === undefined || policy === '') return [required(path)]
  return [notSupported(path, policy, ['File', 'FallbackToLogsOnError'])]
}

const resizable = ['cpu', 'memory']
const resizeRestarts = ['NotRequired', 'RestartContainer']

/** What a change of each resource does to a running container (KEP-1287). */
function validateResizePolicy(
  { resizePolicy }: Container,
  { restartPolicy: podPolicy }: PodSpec,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  return (resizePolicy ?? []).flatMap(
    ({ resourceName = '', restartPolicy = '' }: Partial<ContainerResizePolicy>, index) => {
      const errors = seen.has(resourceName) ? [duplicate(`${path}[${index}]`, resourceName)] : []
      seen.add(resourceName)
      errors.push(...oneOf(resourceName, resizable, path), ...oneOf(restartPolicy, resizeRestarts, path))
      if (podPolicy === 'Never' && restartPolicy !== 'NotRequired') {
        errors.push(invalidValue(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
      }
      return errors
    },
  )
}

function oneOf(value: string, allowed: readonly string[], path: string): FieldError[] {
  if (value === '') return [required(path)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

function validateInitResizePolicy({ resizePolicy }: Container, path: string): FieldError[] {
  const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
  return (resizePolicy ?? []).flatMap(({ restartPolicy }, index) =>
    restartPolicy === 'RestartContainer'
      ? [invalidValue(`${path}.resizePolicy[${index}].restartPolicy`, restartPolicy, detail)]
      : [],
  )
}
