import type { Pod } from '#api/types/core.v1.ts'
import { appArmorProfile } from '../security/app-armor.ts'
import type { Refusal } from './admission.ts'

/** A pod that asks to be confined must not run where nothing confines it. */
export function appArmorRefusal(pod: Pod, isEnabled: boolean): Refusal | undefined {
  const { containers, initContainers = [] } = pod.spec
  const isAsked = [...containers, ...initContainers].some((container) => {
    const profile = appArmorProfile(pod, container)
    return profile !== undefined && profile.type !== 'Unconfined'
  })
  if (isEnabled || !isAsked) return undefined
  return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
}
