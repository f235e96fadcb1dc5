import type { AppArmorProfile, Container, Pod } from '#api/types/core.v1.ts'
import type { AppArmorSetting } from '../cri/container.ts'
import type { SystemFiles } from '../topology/read-topology.ts'

/** Whether the kernel confines programs by AppArmor. */
export async function hasAppArmor(files: SystemFiles): Promise<boolean> {
  return ((await files.text('/sys/module/apparmor/parameters/enabled')) ?? '').startsWith('Y')
}

/** The container's profile, else the pod's; who names none has the runtime's own, where there is one. */
export function appArmorSetting(pod: Pod, container: Container): AppArmorSetting | undefined {
  const profile = appArmorProfile(pod, container)
  if (profile === undefined) return undefined
  return { type: profile.type, ...(profile.type === 'Localhost' && { profile: profile.localhostProfile ?? '' }) }
}

/** What the pod says about a container. */
export function appArmorProfile({ spec }: Pod, { securityContext }: Container): AppArmorProfile | undefined {
  return securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
}
