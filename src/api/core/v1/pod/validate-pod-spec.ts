import { maxInt32, within } from '../../../meta/check-numbers.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabels } from '../../../meta/validate-labels.ts'
import type { PodSpec } from '../../../types/core.v1.ts'
import { isPodLevelResource } from '../pod-resources.ts'
import { validateResourceQuantity, validateResourceRequirements } from '../validate-resources.ts'
import { validateAffinity } from './validate-affinity.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './validate-container.ts'
import type { ContainerContext } from './validate-container.ts'
import { validateDns, validateHostAliases } from './validate-dns.ts'
import { validateGates, validateTolerations, validateTopologySpread } from './validate-scheduling.ts'
import { validatePodSecurity } from './validate-security-context.ts'
import { validateVolumes } from './validate-volume.ts'

/** Errors of a pod's spec, or of that of a pod template, in the order of the API server. */
export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const { errors: volumeErrors, volumes } = validateVolumes(spec.volumes, `${path}.volumes`)
  const context: ContainerContext = {
    spec,
    volumes,
    claimNames: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
    graceSeconds: spec.terminationGracePeriodSeconds ?? 30,
  }
  return [
    ...volumeErrors,
    ...validateContainers(context, `${path}.containers`),
    ...validateInitContainers(context, `${path}.initContainers`),
    ...validateEphemeralContainers(context, `${path}.ephemeralContainers`),
    ...validatePodLevelResources(spec, context.claimNames, `${path}.resources`),
    ...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, `${path}.securityContext`),
    ...validatePullSecrets(spec, `${path}.imagePullSecrets`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateIdentity(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec, `${path}.hostAliases`),
    ...validateClassNames(spec, path),
    ...validateOverhead(spec, `${path}.overhead`),
    ...oneOf(spec.os?.name ?? 'linux', ['linux', 'windows'], `${path}.os.name`),
  ]
}

const dnsPolicies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [required(path)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

function validatePodLevelResources(spec: PodSpec, claimNames: ReadonlySet<string>, path: string): FieldError[] {
  if (spec.resources === undefined) return []
  const errors: FieldError[] = []
  for (const part of ['limits', 'requests'] as const) {
    for (const name of Object.keys(spec.resources[part] ?? {})) {
      if (isPodLevelResource(name)) continue
      errors.push(notSupported(`${path}.${part}[${name}]`, name, ['cpu', 'hugepages-', 'memory']))
    }
  }
  return errors.length > 0 ? errors : validateResourceRequirements(spec.resources, claimNames, path)
}

function validatePullSecrets(spec: PodSpec, path: string): FieldError[] {
  return (spec.imagePullSecrets ?? []).flatMap(({ name }, index) =>
    name === undefined || name === '' ? [required(`${path}[${index}].name`)] : [],
  )
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
  const { priorityClassName = '', runtimeClassName = '', preemptionPolicy } = spec
  const errors = [
    ...named(priorityClassName, dnsSubdomain, `${path}.priorityClassName`),
    ...named(runtimeClassName, dnsSubdomain, `${path}.runtimeClassName`),
  ]
  const policies = ['Never', 'PreemptLowerPriority']
  if (preemptionPolicy !== undefined && !policies.includes(preemptionPolicy)) {
    errors.push(notSupported(`${path}.preemptionPolicy`, preemptionPolicy, ['PreemptLowerPriority', 'Never']))
  }
  return errors
}

function validateOverhead({ overhead }: PodSpec, path: string): FieldError[] {
  return Object.entries(overhead ?? {}).flatMap(([name, quantity]) =>
    validateResourceQuantity(name, quantity, `${path}.limits[${name}]`),
  )
}

/** What only a pod must obey, not a template: images without blanks, tokens only with a service account. */
export function validatePodOnly(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [list, containers] of [
    ['containers', spec.containers],
    ['initContainers', spec.initContainers],
  ] as const) {
    for (const [index, { image = '' }] of (containers ?? []).entries()) {
      if (image.trim() === image) continue
      const detail = 'must not have leading or trailing whitespace'
      errors.push(invalidValue(`${path}.${list}[${index}].image`, image, detail))
    }
  }
  if ((spec.serviceAccountName ?? '') !== '') return errors
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    for (const [sourceIndex, source] of (volume.projected?.sources ?? []).entries()) {
      if (source.serviceAccountToken === undefined) continue
      const at = `${path}.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`
      errors.push(forbiddenField(at, 'must not be specified when serviceAccountName is not set'))
    }
  }
  return errors
}
