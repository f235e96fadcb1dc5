import type { SecurityContext, Volume } from '#api/types/core.v1.ts'
import {
  containersOf,
  containersWhere,
  describeContainers,
  describeSetters,
  hasUserNamespace,
  isWindows,
  quoted,
  type PodCheck,
  type PodParts,
} from './pod-parts.ts'

/** What Windows does not know is not asked of its pods since 1.25. */
function isExempt(pod: PodParts, minor: number): boolean {
  return minor >= 25 && isWindows(pod)
}

export const allowPrivilegeEscalation: PodCheck = (pod, minor) => {
  if (isExempt(pod, minor)) return undefined
  const names = containersWhere(pod, (context) => context?.allowPrivilegeEscalation !== false)
  if (names.length === 0) return undefined
  const detail = `${describeContainers(names)} must set securityContext.allowPrivilegeEscalation=false`
  return { reason: 'allowPrivilegeEscalation != false', detail }
}

export const capabilitiesRestricted: PodCheck = (pod, minor) => {
  if (isExempt(pod, minor)) return undefined
  const isForbidden = (name: string): boolean => name !== 'NET_BIND_SERVICE'
  const notDropping = containersWhere(pod, (context) => !context?.capabilities?.drop?.includes('ALL'))
  const adding = containersWhere(pod, (context) => context?.capabilities?.add?.some(isForbidden) ?? false)
  const added = containersOf(pod.spec).flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? [])
  const forbidden = [...new Set(added.filter(isForbidden))].toSorted()
  const details = [
    ...(notDropping.length > 0
      ? [`${describeContainers(notDropping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [`${describeContainers(adding)} must not include ${quoted(forbidden)} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const allowedVolumes: ReadonlySet<string> = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
)

export const restrictedVolumes: PodCheck = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.has(typeOf(volume)))
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map(typeOf))].toSorted()
  const names = `${bad.length === 1 ? 'volume' : 'volumes'} ${quoted(bad.map(({ name }) => name))}`
  const verb = bad.length === 1 ? 'uses' : 'use'
  const what = `restricted volume ${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`
  return { reason: 'restricted volume types', detail: `${names} ${verb} ${what}` }
}

function typeOf(volume: Volume): string {
  const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && value !== undefined)
  return sources[0]?.[0] ?? 'unknown'
}

export const runAsNonRoot: PodCheck = (pod) => {
  if (hasUserNamespace(pod)) return undefined
  const ofPod = pod.spec.securityContext?.runAsNonRoot
  const refusing = containersWhere(pod, (context) => context?.runAsNonRoot === false)
  const reason = 'runAsNonRoot != true'
  if (ofPod === false || refusing.length > 0) {
    return {
      reason,
      detail: `${describeSetters(ofPod === false, refusing)} must not set securityContext.runAsNonRoot=false`,
    }
  }
  if (ofPod === true) return undefined
  const silent = containersWhere(pod, (context) => context?.runAsNonRoot === undefined)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${describeContainers(silent)} must set securityContext.runAsNonRoot=true` }
}

export const runAsUser: PodCheck = (pod) => {
  if (hasUserNamespace(pod)) return undefined
  const podIsBad = pod.spec.securityContext?.runAsUser === 0
  const setters = describeSetters(
    podIsBad,
    containersWhere(pod, (context) => context?.runAsUser === 0),
  )
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
}

export const seccompProfileRestricted: PodCheck = (pod, minor) => {
  if (isExempt(pod, minor)) return undefined
  const isGood = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'
  const ofPod = pod.spec.securityContext?.seccompProfile?.type
  const isBad = (type: string | undefined): boolean => type !== undefined && !isGood(type)
  const typeIn = (context: SecurityContext | undefined): string | undefined => context?.seccompProfile?.type
  const refusing = containersWhere(pod, (context) => isBad(typeIn(context)))
  const reason = 'seccompProfile'
  if (isBad(ofPod) || refusing.length > 0) {
    const values = quoted(forbiddenTypes(pod, isBad))
    return {
      reason,
      detail: `${describeSetters(isBad(ofPod), refusing)} must not set securityContext.seccompProfile.type to ${values}`,
    }
  }
  const silent = ofPod === undefined ? containersWhere(pod, (context) => typeIn(context) === undefined) : []
  if (silent.length === 0) return undefined
  const values = '"RuntimeDefault" or "Localhost"'
  return {
    reason,
    detail: `pod or ${describeContainers(silent)} must set securityContext.seccompProfile.type to ${values}`,
  }
}

function forbiddenTypes({ spec }: PodParts, isBad: (type: string | undefined) => boolean): readonly string[] {
  const contexts = [spec.securityContext, ...containersOf(spec).map((container) => container.securityContext)]
  const types = contexts.map((context) => context?.seccompProfile?.type)
  return [...new Set(types.filter((type): type is NonNullable<typeof type> => isBad(type)))].toSorted()
}
