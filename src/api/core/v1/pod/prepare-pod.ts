import type { Draft } from '../../../kind.ts'
import { deepEqual } from '../../../meta/deep-equal.ts'
import type { AppArmorProfile, Pod, PodAffinity, PodAffinityTerm, PodSpec } from '../../../types/core.v1.ts'
import type { LabelSelector } from '../../../types/meta.v1.ts'
import { appArmorPrefix, localhostPrefix } from './pod-annotations.ts'
import { validateAppArmor } from './validate-security-context.ts'

/** Fields that the API knows, but that this version of Kubernetes keeps switched off: it takes them and forgets them. */
export function dropDisabledFields(spec: Draft<PodSpec>): void {
  delete spec.schedulingGroup
  for (const { ephemeral } of spec.volumes ?? []) {
    delete ephemeral?.volumeClaimTemplate?.spec?.dataSourceRef?.namespace
  }
  for (const list of [spec.containers, spec.initContainers, spec.ephemeralContainers]) {
    for (const { lifecycle } of list ?? []) delete lifecycle?.stopSignal
  }
}

/** The values of the label keys that terms name become part of their selectors (KEP-3633, KEP-3243). */
export function mergeLabelKeys({ metadata, spec }: Draft<Pod>): void {
  const labels = metadata.labels ?? {}
  for (const term of affinityTerms(spec)) {
    addRequirements(term.labelSelector, term.matchLabelKeys, 'In', labels)
    addRequirements(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels)
  }
  for (const constraint of spec.topologySpreadConstraints ?? []) {
    addRequirements(constraint.labelSelector, constraint.matchLabelKeys, 'In', labels)
  }
}

function affinityTerms({ affinity }: Draft<PodSpec>): readonly Draft<PodAffinityTerm>[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((part: Draft<PodAffinity> | undefined) => [
    ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
    ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ])
}

function addRequirements(
  selector: Draft<LabelSelector> | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): void {
  if (selector === undefined) return
  for (const key of keys ?? []) {
    const value = labels[key]
    if (value === undefined) continue
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }]
  }
}

/** AppArmor profiles stand in a field and, for older kubelets, in an annotation: who gives one gets both. */
export function mirrorAppArmor(pod: Draft<Pod>): void {
  const { metadata, spec } = pod
  if (spec.os?.name === 'windows') return
  const ofPod = spec.securityContext?.appArmorProfile
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const container of list ?? []) {
      const key = `${appArmorPrefix}${container.name}`
      const text = metadata.annotations?.[key]
      const own = container.securityContext?.appArmorProfile
      if (text === undefined) {
        const wanted = annotationOf((own ?? ofPod) as AppArmorProfile | undefined)
        if (wanted !== undefined) metadata.annotations = { ...metadata.annotations, [key]: wanted }
      } else if (own === undefined) {
        const profile = profileOf(text)
        if (profile === undefined || deepEqual(profile, ofPod)) continue
        container.securityContext = { ...container.securityContext, appArmorProfile: profile }
      }
    }
  }
}

function annotationOf(profile: AppArmorProfile | undefined): string | undefined {
  if (profile?.type === 'Unconfined') return 'unconfined'
  if (profile?.type === 'RuntimeDefault') return 'runtime/default'
  const { localhostProfile } = profile ?? {}
  return profile?.type === 'Localhost' && localhostProfile !== undefined
    ? `${localhostPrefix}${localhostProfile}`
    : undefined
}

function profileOf(text: string): AppArmorProfile | undefined {
  if (text === 'unconfined') return { type: 'Unconfined' }
  if (text === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!text.startsWith(localhostPrefix)) return undefined
  const profile: AppArmorProfile = { type: 'Localhost', localhostProfile: text.slice(localhostPrefix.length) }
  return validateAppArmor(profile, '').length === 0 ? profile : undefined
}
