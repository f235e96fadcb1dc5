import { isSameJson } from '../../../meta/merge-patch.ts'
import { dnsLabel } from '../../../meta/names.ts'
import type { Container, EphemeralContainer, Pod, PodSpec, PodTemplateSpec, Volume } from '../../../types/core.v1.ts'
import { claimSpecWarnings, fractionWarnings, goneDrivers, shownDriver } from '../volume-warnings.ts'
import { containersWithPath } from './containers-with-path.ts'
import { appArmorPrefix, seccompContainerPrefix, seccompPodAnnotation } from './pod-annotations.ts'
import { portWarnings } from './port-warnings.ts'
import { affinityWarnings, placementWarnings } from './placement-warnings.ts'

type Annotations = Readonly<Record<string, string>>

/** What the API server says of a new pod that it accepts all the same. Who changes pods is no human to be warned. */
export function podWarnings(
  pod: Pod,
  old: Pod | undefined,
  aboutSpec: (pod: Pod) => readonly string[] = podSpecWarnings,
): readonly string[] {
  if (old !== undefined) return []
  const warnings = aboutSpec(pod)
  const labelProblems = dnsLabel(pod.metadata.name)
  if (labelProblems.length === 0) return warnings
  const why = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
  return [`metadata.name: ${why}: [${labelProblems.join(' ')}]`, ...warnings]
}

/** What is unwise about what the pod asks for, whatever its name. */
export function podSpecWarnings({ metadata, spec }: Pod): readonly string[] {
  return specWarnings(spec, metadata.annotations ?? {}, '')
}

/** The same for the template of a workload; a template that did not change is not complained of again. */
export function templateWarnings(
  template: PodTemplateSpec | undefined,
  old: PodTemplateSpec | undefined,
  path: string = 'spec.template',
): readonly string[] {
  if (template === undefined || (old !== undefined && isSameJson(old, template))) return []
  return specWarnings(template.spec, template.metadata?.annotations ?? {}, `${path}.`)
}

/** `prefix` stands before `spec` and `metadata`; only templates have one. */
function specWarnings(spec: PodSpec, annotations: Annotations, prefix: string): readonly string[] {
  const path = `${prefix}spec`
  const isTemplate = prefix !== ''
  return [
    ...placementWarnings(spec, path),
    ...annotationWarnings(annotations, `${prefix}metadata.annotations`),
    ...(spec.volumes ?? []).flatMap((volume, index) => volumeWarnings(volume, `${path}.volumes[${index}]`)),
    ...tokenPathWarnings(spec.volumes ?? [], `${path}.volumes`),
    ...listWarnings(spec, path),
    ...fractionWarnings(spec.overhead?.['memory'], `${path}.overhead[memory]`),
    ...fractionWarnings(spec.overhead?.['ephemeral-storage'], `${path}.overhead[ephemeral-storage]`),
    ...seccompWarnings(spec.securityContext, annotations, seccompPodAnnotation, prefix),
    ...containersWithPath(spec, path).flatMap(({ container, path: at }) => [
      ...profileWarnings(container, spec, annotations, isTemplate ? prefix : undefined),
      ...containerWarnings(container, at),
    ]),
    ...portWarnings(spec, path),
    ...graceWarnings(spec, path),
    ...affinityWarnings(spec, path),
  ]
}

const deadAnnotations: readonly (readonly [key: string, message: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

function annotationWarnings(annotations: Annotations, path: string): readonly string[] {
  return deadAnnotations.filter(([key]) => key in annotations).map(([key, message]) => `${path}[${key}]: ${message}`)
}

const goneDriverNames = Object.keys(goneDrivers) as (keyof typeof goneDrivers)[]

function volumeWarnings(volume: Volume, path: string): readonly string[] {
  const warnings: string[] = []
  for (const driver of goneDriverNames) {
    if (volume[driver] !== undefined) warnings.push(`${path}.${shownDriver[driver] ?? driver}: ${goneDrivers[driver]}`)
  }
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec
  if (claim !== undefined) warnings.push(...claimSpecWarnings(claim, `${path}.ephemeral.volumeClaimTemplate.spec`))
  return warnings
}

/** A token may hide a file of another source, or be hidden. Nearly every pod has a token: this is gone through often. */
function tokenPathWarnings(volumes: readonly Volume[], path: string): readonly string[] {
  const tokens = new Set<string>()
  for (const { projected } of volumes) {
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) tokens.add(serviceAccountToken.path)
    }
  }
  if (tokens.size === 0) return []
  const warnings: string[] = []
  for (const [index, { projected }] of volumes.entries()) {
    for (const { configMap, secret, downwardAPI } of projected?.sources ?? []) {
      const warn = (name: string, items: readonly { readonly path: string }[] | undefined): void => {
        for (const [position, item] of (items ?? []).entries()) {
          if (!tokens.has(item.path)) continue
          const at = `${path}[${index}].projected.sources.${name}[${position}]`
          warnings.push(`${at}: has duplicated path with ServiceAccountToken "${item.path}"`)
        }
      }
      warn('configMap', configMap?.items)
      warn('secrets', secret?.items)
      warn('downwardAPI', downwardAPI?.items)
    }
  }
  return warnings
}

function listWarnings({ hostAliases = [], imagePullSecrets = [] }: PodSpec, path: string): readonly string[] {
  if (hostAliases.length === 0 && imagePullSecrets.length === 0) return []
  const secrets = imagePullSecrets.map(({ name }) => name ?? '')
  return [
    ...repeated(hostAliases.map(({ ip }) => ip)).map(
      ([ip, index]) => `${path}.hostAliases[${index}].ip: duplicate ip "${ip}"`,
    ),
    ...repeated(secrets).map(([name, index]) => `${path}.imagePullSecrets[${index}].name: duplicate name "${name}"`),
    ...secrets.flatMap((name, index) =>
      name === '' ? [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
  ]
}

/** Values that stood in the list before, and where they stand again. */
function repeated(values: readonly string[]): readonly (readonly [value: string, index: number])[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [[value, index] as const] : []))
}

type WithSeccomp = Pick<NonNullable<PodSpec['securityContext']>, 'seccompProfile'>

function seccompWarnings(
  context: WithSeccomp | undefined,
  annotations: Annotations,
  key: string,
  prefix: string,
): readonly string[] {
  if (context?.seccompProfile !== undefined || !(key in annotations)) return []
  return [`${prefix}metadata.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
}

/** Annotations without the field that took their place; the one of AppArmor becomes the field in pods themselves. */
function profileWarnings(
  { name, securityContext }: Container | EphemeralContainer,
  spec: PodSpec,
  annotations: Annotations,
  prefix: string | undefined,
): readonly string[] {
  const warnings = seccompWarnings(securityContext, annotations, `${seccompContainerPrefix}${name}`, prefix ?? '')
  const key = `${appArmorPrefix}${name}`
  const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
  if (prefix === undefined || profile !== undefined || !(key in annotations)) return warnings
  const advice = 'deprecated since v1.30; use the "appArmorProfile" field instead'
  return [...warnings, `${prefix}metadata.annotations[${key}]: ${advice}`]
}

const fractionless = ['memory', 'ephemeral-storage'] as const
const requirementParts = ['limits', 'requests'] as const

function containerWarnings({ env = [], resources }: Container | EphemeralContainer, path: string): readonly string[] {
  const warnings: string[] = []
  for (const name of resources === undefined ? [] : fractionless) {
    for (const part of requirementParts) {
      const quantity = resources?.[part]?.[name]
      if (quantity !== undefined) {
        warnings.push(...fractionWarnings(quantity, `${path}.resources.${part}[${name}]`))
      }
    }
  }
  if (env.length === 0) return warnings
  const names = new Set<string>()
  for (const [index, { name, value = '', valueFrom }] of env.entries()) {
    // A value that builds upon the earlier one is what the repetition is for.
    const reference = `$(${name})`
    const hides = valueFrom !== undefined || value === reference || !value.includes(reference)
    if (names.has(name) && hides) {
      const rule = `hides previous definition of "${name}", which may be dropped when using apply`
      warnings.push(`${path}.env[${index}]: ${rule}`)
    }
    names.add(name)
  }
  return warnings
}

function graceWarnings({ terminationGracePeriodSeconds = 0 }: PodSpec, path: string): readonly string[] {
  if (terminationGracePeriodSeconds >= 0) return []
  const rule = 'must be >= 0; negative values are invalid and will be treated as 1'
  return [`${path}.terminationGracePeriodSeconds: ${rule}`]
}
