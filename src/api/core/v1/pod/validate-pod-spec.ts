import { maxInt32, within } from '../../../meta/check-numbers.ts'
import {
  forbiddenField,
  invalidForEach,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
  tooLong,
} from '../../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabels } from '../../../meta/validate-labels.ts'
import type { PodSpec } from '../../../types/core.v1.ts'
import { validateResourceRequirements } from '../validate-resources.ts'
import { containersWithPath } from './containers-with-path.ts'
import { validateAffinity } from './validate-affinity.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './validate-container.ts'
import type { ContainerContext } from './validate-container.ts'
import { validateHostNetworkPorts } from './validate-container-ports.ts'
import { validateDns, validateHostAliases } from './validate-dns.ts'
import { validatePodLevelResources } from './validate-pod-level-resources.ts'
import { validateResourceClaims } from './validate-resource-claims.ts'
import {
  validateReadinessGates,
  validateSchedulingGates,
  validateTolerations,
  validateTopologySpread,
} from './validate-scheduling.ts'
import { validatePodSecurity } from './validate-security-context.ts'
import type { PodIdentity } from './pod-identity.ts'
import { validateVolumes } from './validate-volume.ts'
import { validateHostProcess, validateLinuxPod, validateWindowsPod } from './validate-windows.ts'

/** Errors of a pod's spec, or of that of a pod template, in the order of the API server. */
export function validatePodSpec(spec: PodSpec, path: string, pod?: PodIdentity): FieldError[] {
  const { errors: volumeErrors, volumes } = validateVolumes(spec.volumes, pod?.name, `${path}.volumes`)
  const context: ContainerContext = {
    spec,
    volumes,
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name !== '')),
    graceSeconds: spec.terminationGracePeriodSeconds ?? 30,
  }
  return [
    ...volumeErrors,
    ...validateResourceClaims(spec.resourceClaims, pod, `${path}.resourceClaims`),
    ...validateContainers(context, `${path}.containers`),
    ...validateInitContainers(context, `${path}.initContainers`),
    ...validateEphemeralContainers(context, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, context.claimNames, `${path}.resources`),
    ...validateHostNetworkPorts(spec, pod !== undefined, path),
    ...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateReadinessGates(spec, `${path}.readinessGates`),
    ...validateSchedulingGates(spec, `${path}.schedulingGates`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostnameOverride(spec, `${path}.hostnameOverride`),
    ...validateIdentity(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec, `${path}.hostAliases`),
    ...validateClassNames(spec, path),
    ...validateResourceRequirements({ limits: spec.overhead }, new Set(), `${path}.overhead`),
    ...validateOs(spec, path),
    ...validateEnvironmentFiles(spec, path),
  ]
}

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [required(path)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

/** A pod with users of its own has no other part of the node either. */
function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return []
  const detail = 'when `hostUsers` is false'
  const errors: FieldError[] = []
  if (spec.hostNetwork === true) errors.push(forbiddenField(`${path}.hostNetwork`, detail))
  if (spec.hostPID === true) errors.push(forbiddenField(`${path}.HostPID`, detail))
  if (spec.hostIPC === true) errors.push(forbiddenField(`${path}.HostIPC`, detail))
  for (const { container, path: at } of containersWithPath(spec, path)) {
    if ((container.volumeDevices ?? []).length > 0) errors.push(forbiddenField(`${at}.volumeDevices`, detail))
  }
  return errors
}

const longestHostname = 64

function validateHostnameOverride(
  { hostnameOverride, setHostnameAsFQDN, hostNetwork }: PodSpec,
  path: string,
): FieldError[] {
  if (hostnameOverride === undefined) return []
  const errors: FieldError[] = []
  if (setHostnameAsFQDN === true) {
    errors.push(forbiddenField(path, 'may not be specified when setHostnameAsFQDN is true'))
  }
  if (hostNetwork === true) errors.push(forbiddenField(path, 'may not be specified when hostNetwork is true'))
  if (Buffer.byteLength(hostnameOverride) > longestHostname) errors.push(tooLong(path, longestHostname))
  return [...errors, ...invalidForEach(path, hostnameOverride, dnsSubdomain(hostnameOverride))]
}

/** Account, node, deadline and host name. */
function validateIdentity(spec: PodSpec, path: string): FieldError[] {
  const { serviceAccountName = '', nodeName = '', hostname = '', subdomain = '', activeDeadlineSeconds } = spec
  return [
    ...named(serviceAccountName, dnsSubdomain, `${path}.serviceAccountName`),
    ...named(nodeName, dnsSubdomain, `${path}.nodeName`),
    ...within(activeDeadlineSeconds, 1, maxInt32, `${path}.activeDeadlineSeconds`),
    ...named(hostname, dnsLabel, `${path}.hostname`),
    ...named(subdomain, dnsLabel, `${path}.subdomain`),
  ]
}

function named(value: string, rule: (value: string) => string[], path: string): FieldError[] {
  return value === '' ? [] : invalidForEach(path, value, rule(value))
}

function validateClassNames(spec: PodSpec, path: string): FieldError[] {
  const { priorityClassName = '', runtimeClassName, preemptionPolicy } = spec
  const errors = named(priorityClassName, dnsSubdomain, `${path}.priorityClassName`)
  if (runtimeClassName !== undefined) {
    errors.push(...invalidForEach(`${path}.runtimeClassName`, runtimeClassName, dnsSubdomain(runtimeClassName)))
  }
  if (preemptionPolicy === undefined) return errors
  return [...errors, ...oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`)]
}

function validateOs(spec: PodSpec, path: string): FieldError[] {
  if (spec.os === undefined) return []
  const name: string = spec.os.name ?? ''
  if (name === '') return [required(`${path}.os.name`)]
  if (name === 'linux') return validateLinuxPod(spec, path)
  return name === 'windows' ? validateWindowsPod(spec, path) : [notSupported(`${path}.os`, name, ['linux', 'windows'])]
}

/** Variables come from files of `emptyDir` volumes only. */
function validateEnvironmentFiles(spec: PodSpec, path: string): FieldError[] {
  return containersWithPath(spec, path).flatMap(({ container, path: at }) =>
    (container.env ?? []).flatMap(({ valueFrom }, index) => {
      const name = valueFrom?.fileKeyRef?.volumeName
      if (valueFrom?.fileKeyRef === undefined) return []
      const field = `${at}.env[${index}].valueFrom.fileKeyRef.volumeName`
      const volume = spec.volumes?.findLast((candidate) => candidate.name === name)
      if (volume === undefined) return [notFoundValue(field, name ?? '')]
      if (volume.emptyDir !== undefined) return []
      return [invalidValue(field, name, 'referenced volume must be of type emptyDir')]
    }),
  )
}
