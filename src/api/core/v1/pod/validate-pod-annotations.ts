import { forbiddenField, invalidValue } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { AppArmorProfile, PodSpec, SeccompProfile, Toleration } from '../../../types/core.v1.ts'
import { containersWithPath } from './containers-with-path.ts'
import {
  appArmorPrefix,
  deletionCostAnnotation,
  localhostPrefix,
  mirrorAnnotation,
  seccompContainerPrefix,
  seccompPodAnnotation,
  tolerationsAnnotation,
} from './pod-annotations.ts'
import { validateDescendingPath } from './validate-path.ts'
import { validateTolerations } from './validate-scheduling.ts'

type Annotations = Readonly<Record<string, string>>

/** Annotations that once were fields, and those that still steer a pod. */
export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  const mirror = annotations[mirrorAnnotation]
  if (mirror !== undefined && (spec.nodeName ?? '') === '') {
    const detail = 'must set spec.nodeName if mirror pod annotation is set'
    errors.push(invalidValue(`${path}[${mirrorAnnotation}]`, mirror, detail))
  }
  errors.push(...validateOldTolerations(annotations[tolerationsAnnotation] ?? '', path))
  const cost = annotations[deletionCostAnnotation]
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalidValue(`${path}[${deletionCostAnnotation}]`, cost, 'must be a 32bit integer'))
  }
  return [...errors, ...validateSeccomp(annotations, path), ...validateAppArmor(annotations, spec, path)]
}

function validateOldTolerations(text: string, path: string): FieldError[] {
  if (text === '') return []
  try {
    const tolerations = JSON.parse(text) as readonly Toleration[]
    return validateTolerations(tolerations, `${path}.${tolerationsAnnotation}`)
  } catch {
    return [invalidValue(path, tolerationsAnnotation, `invalid character in JSON text`)]
  }
}

function isInt32(text: string): boolean {
  return /^(0|-?[1-9]\d*|-0\d*)$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31
}

function validateSeccomp(annotations: Annotations, path: string): FieldError[] {
  const keys = Object.keys(annotations).filter((key) => key.startsWith(seccompContainerPrefix))
  const all = seccompPodAnnotation in annotations ? [seccompPodAnnotation, ...keys] : keys
  return all.flatMap((key) => validateSeccompText(annotations[key] ?? '', `${path}.${key}`))
}

function validateSeccompText(profile: string, path: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return []
  if (!profile.startsWith(localhostPrefix)) return [invalidValue(path, profile, 'must be a valid seccomp profile')]
  return validateDescendingPath(profile.slice(localhostPrefix.length), path)
}

function validateAppArmor(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const names = new Set(containersWithPath(spec, '').map(({ container }) => container.name))
  return Object.entries(annotations).flatMap(([key, profile]) => {
    if (!key.startsWith(appArmorPrefix)) return []
    const name = key.slice(appArmorPrefix.length)
    const errors = names.has(name) ? [] : [invalidValue(`${path}[${key}]`, name, 'container not found')]
    if (['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith(localhostPrefix)) return errors
    const detail = `invalid AppArmor profile name: ${JSON.stringify(profile)}`
    return [...errors, invalidValue(`${path}[${key}]`, profile, detail)]
  })
}

/** An annotation and the field that took its place must say the same. */
export function validateProfilesMatch(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const { securityContext: ofPod } = spec
  const errors = matchProfile('seccomp', annotations[seccompPodAnnotation], ofPod?.seccompProfile, {
    path: `${path}.securityContext.seccompProfile`,
    runtimeDefaults: seccompDefaults,
  })
  const containers = containersWithPath(spec, path)
  for (const { container, path: at } of containers) {
    const text = annotations[`${seccompContainerPrefix}${container.name}`]
    const place = { path: `${at}.securityContext.seccompProfile`, runtimeDefaults: seccompDefaults }
    errors.push(...matchProfile('seccomp', text, container.securityContext?.seccompProfile, place))
  }
  if (spec.os?.name === 'windows') return errors
  for (const { container, path: at } of containers) {
    const text = annotations[`${appArmorPrefix}${container.name}`]
    const profile = container.securityContext?.appArmorProfile ?? ofPod?.appArmorProfile
    const place = { path: `${at}.securityContext.appArmorProfile`, runtimeDefaults: ['runtime/default'] }
    errors.push(...matchProfile('apparmor', text, profile, place))
  }
  return errors
}

const seccompDefaults = ['runtime/default', 'docker/default']

interface Place {
  readonly path: string
  readonly runtimeDefaults: readonly string[]
}

function matchProfile(
  noun: 'seccomp' | 'apparmor',
  text: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  { path, runtimeDefaults }: Place,
): FieldError[] {
  if (text === undefined || profile === undefined) return []
  const wrongType = [forbiddenField(`${path}.type`, `${noun} type in annotation and field must match`)]
  if (profile.type === 'Unconfined') return text === 'unconfined' ? [] : wrongType
  if (profile.type === 'RuntimeDefault') return runtimeDefaults.includes(text) ? [] : wrongType
  if (profile.type !== 'Localhost') return []
  if (!text.startsWith(localhostPrefix)) return wrongType
  if (text.slice(localhostPrefix.length) === profile.localhostProfile) return []
  return [forbiddenField(`${path}.localhostProfile`, `${noun} profile in annotation and field must match`)]
}
